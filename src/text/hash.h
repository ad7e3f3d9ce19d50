// Hashing for the open-addressing tables of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lfm::text {

// A bijection of 64-bit words in which every bit of the input moves every bit of the output (SplitMix64's finaliser).
inline std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) noexcept {
  std::uint64_t hash = seed ^ (bytes.size() * 0x9E3779B97F4A7C15u);
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t taken = bytes.size() < sizeof word ? bytes.size() : sizeof word;
    std::memcpy(&word, bytes.data(), taken);
    hash = mix_bits(hash ^ word);
    bytes.remove_prefix(taken);
  }
  return hash;
}

// Slots for `entries` entries: a power of two, at most half full, so that probing always ends and ends soon.
inline std::size_t table_size(std::size_t entries) noexcept {
  std::size_t size = 16;
  while (size < 2 * entries) size *= 2;
  return size;
}

}  // namespace lfm::text
