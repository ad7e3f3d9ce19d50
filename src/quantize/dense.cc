#include "quantize/dense.h"

namespace lfm::quantize {
namespace dense_base {
extern const Dense kDense;
}
#if defined(__x86_64__)
namespace dense_avx2 {
extern const Dense kDense;
}
namespace dense_avx512 {
extern const Dense kDense;
}
#endif

const Dense& dense([[maybe_unused]] kernels::Isa isa) noexcept {
#if defined(__x86_64__)
  if (isa == kernels::Isa::kAvx512Vnni) return dense_avx512::kDense;
  if (isa != kernels::Isa::kScalar) return dense_avx2::kDense;
#endif
  return dense_base::kDense;
}

}  // namespace lfm::quantize
