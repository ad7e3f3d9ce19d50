#include "base/checksum.h"

#include <array>
#include <cstring>

namespace lfm::base {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio

constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x *= kOdd;
  return x ^ (x >> 32);
}

void take_line(std::array<std::uint64_t, kLanes>& lanes, const std::byte* line) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    std::uint64_t word;
    std::memcpy(&word, line + 8 * i, sizeof word);
    lanes[i] = mix(lanes[i] ^ word);
  }
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
  constexpr std::size_t kLine = kLanes * sizeof(std::uint64_t);
  std::array<std::uint64_t, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = mix(seed + i + 1);
  const std::size_t whole = bytes.size() / kLine * kLine;
  for (std::size_t at = 0; at < whole; at += kLine) take_line(lanes, bytes.data() + at);
  if (whole < bytes.size()) {
    std::array<std::byte, kLine> last{};
    std::memcpy(last.data(), bytes.data() + whole, bytes.size() - whole);
    take_line(lanes, last.data());
  }
  std::uint64_t sum = mix(bytes.size() ^ kOdd);
  for (const std::uint64_t lane : lanes) sum = mix(sum ^ lane);
  return mix(sum);
}

}  // namespace lfm::base
