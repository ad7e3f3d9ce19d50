// The instruction sets that kernels are written for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::kernels {

enum class Isa : std::uint8_t {
#define LFM_ISA(id, ...) k##id,
#include "kernels/isas.inc"
};

// What isas.inc says of one.
struct IsaInfo {
  Isa isa;
  const char* name;
};

inline constexpr IsaInfo kIsas[] = {
#define LFM_ISA(id, name, ...) {Isa::k##id, #name},
#include "kernels/isas.inc"
};

constexpr const IsaInfo& info(Isa isa) noexcept {
  return kIsas[static_cast<std::size_t>(isa)];
}

}  // namespace lfm::kernels
