#include "kernels/table.h"

namespace lfm::kernels {

const Table& table(Isa isa) noexcept {
  static constexpr Table kScalar{Isa::kScalar, scalar::kMatmul, scalar::kVector, scalar::kAttention};
#if defined(__x86_64__)
  static constexpr Table kAvx2{Isa::kAvx2, avx2::kMatmul, avx2::kVector, avx2::kAttention};
  static constexpr Table kAvx512Vnni{Isa::kAvx512Vnni, avx512vnni::kMatmul, avx512vnni::kVector,
                                     avx512vnni::kAttention};
  if (isa == Isa::kAvx512Vnni) return kAvx512Vnni;
  if (isa == Isa::kAvx2) return kAvx2;
#endif
  (void)isa;
  return kScalar;
}

}  // namespace lfm::kernels
