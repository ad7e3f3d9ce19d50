// The instruction sets that kernels are written for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::kernels {

enum class Isa : std::uint8_t {
#define LFM_ISA(id, ...) k##id,
#include "kernels/isas.inc"
};

enum class DenseKernels : std::uint8_t { kNative, kXnnpack };

// What isas.inc says of one.
struct IsaInfo {
  Isa isa;
  const char* name;
  DenseKernels dense;
};

inline constexpr IsaInfo kIsas[] = {
#define LFM_ISA(id, name, matmul, vector, attention, dense, ...) {Isa::k##id, #name, DenseKernels::dense},
#include "kernels/isas.inc"
};

constexpr const IsaInfo& info(Isa isa) noexcept {
  return kIsas[static_cast<std::size_t>(isa)];
}

}  // namespace lfm::kernels
