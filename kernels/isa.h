// The instruction sets that kernels are written for, from least to most capable.
#pragma once

#include <cstdint>

namespace lfm::kernels {

enum class Isa : std::uint8_t {
  kScalar,      // portable C++, the specification of every kernel
  kAvx2,        // AVX2 + FMA + F16C
  kAvx512Vnni,  // AVX-512 F/BW/DQ/VL + VNNI
};
inline constexpr int kIsaCount = 3;

}  // namespace lfm::kernels
