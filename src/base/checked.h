// Arithmetic on numbers that a file or a caller gave: wraps are seen, not suffered.
#pragma once

#include <cstdint>
#include <optional>

namespace lfm::base {

constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
  if (a > ~std::uint64_t{0} - b) return std::nullopt;
  return a + b;
}

constexpr std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) noexcept {
  if (b != 0 && a > ~std::uint64_t{0} / b) return std::nullopt;
  return a * b;
}

// The smallest multiple of `multiple` (> 0) that is >= value.
constexpr std::optional<std::uint64_t> checked_round_up(std::uint64_t value, std::uint64_t multiple) noexcept {
  const std::uint64_t rest = value % multiple;
  return rest == 0 ? value : checked_add(value, multiple - rest);
}

// For sizes that are known to be small.
constexpr std::size_t round_up(std::size_t value, std::size_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace lfm::base
