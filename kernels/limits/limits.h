// What a core can do at most, measured: the figures that the other kernels are judged by.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"

namespace lfm::kernels {

inline constexpr std::size_t kReadStreams = 4;
inline constexpr std::size_t kReadAhead = 1024;  // bytes

struct LimitKernels {
  // Reads all bytes once, as a few streams side by side and fetching ahead in each: a core has more reads under way so
  // than in one stream. Returns a sum, so that it can't be skipped. bytes % 1024 == 0, 64-byte aligned.
  std::uint64_t (*read)(const std::byte* data, std::size_t bytes);

  // `steps` rounds of int8 multiply-adds between registers, the fastest that the ISA has, in enough chains to hide
  // their latency. Returns a sum.
  std::uint64_t (*multiply)(std::size_t steps);
  std::size_t operations_per_step;  // a multiplication and an addition are two
};

// Never null; the caller has made sure that the CPU has the ISA.
const LimitKernels& limit_kernels(Isa isa) noexcept;

namespace scalar {
extern const LimitKernels kLimits;
}
namespace avx2 {
extern const LimitKernels kLimits;
}
namespace avx512vnni {
extern const LimitKernels kLimits;
}

}  // namespace lfm::kernels
