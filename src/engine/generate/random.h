// Random numbers that are the same on every platform and standard library, and each from its index alone.
#pragma once

#include <cstdint>

#include "text/hash.h"

namespace lfm::engine {

// Number `index` of the sequence that SplitMix64 (Steele, Lea, Flood 2014) gives for this seed: any seed is as good as
// any other, and no number needs those before it.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) noexcept {
  return text::mix_bits(seed + (index + 1) * 0x9E3779B97F4A7C15u);
}

// In [0, 1): a multiple of 2^-53.
inline double random_uniform(std::uint64_t seed, std::uint64_t index) noexcept {
  return static_cast<double>(random_bits(seed, index) >> 11) * 0x1p-53;
}

}  // namespace lfm::engine
