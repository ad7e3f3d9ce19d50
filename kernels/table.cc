#include "kernels/table.h"

namespace lfm::kernels {

const Table& table(Isa isa) noexcept {
  static constexpr Table kTables[] = {
#define LFM_ISA(id, name, matmul, vector, attention, ...) \
  {Isa::k##id, matmul::kMatmul, vector::kVector, attention::kAttention},
#include "kernels/isas.inc"
  };
  return kTables[static_cast<std::size_t>(isa)];
}

}  // namespace lfm::kernels
