// exp of many floats, four at a time with what every CPU has.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lfm::base {

using FourFloats [[gnu::vector_size(16)]] = float;  // which compilers know, whatever the CPU
using FourBits [[gnu::vector_size(16)]] = std::int32_t;

inline FourFloats load_four(const float* x) noexcept {
  FourFloats four;
  std::memcpy(&four, x, sizeof four);
  return four;
}

// One where the condition holds, else the other.
inline FourFloats choose(FourBits condition, FourFloats one, FourFloats other) noexcept {
  return std::bit_cast<FourFloats>((condition & std::bit_cast<FourBits>(one)) |
                                   (~condition & std::bit_cast<FourBits>(other)));
}

// Relative error below 3e-7. x is held to [-87, 88]; NaN stays NaN.
inline FourFloats exp(FourFloats x) noexcept {
  constexpr FourFloats kLow = {-87, -87, -87, -87}, kHigh = {88, 88, 88, 88};  // the result stays a normal number
  constexpr float kRound = 0x1.8p+23f;  // added, it rounds to an integer, which is in the low bits then
  x = choose(x < kLow, kLow, x);
  x = choose(x > kHigh, kHigh, x);
  const FourFloats shifted = x * 0x1.715476p+0f + kRound;  // log2(e)
  const FourFloats n = shifted - kRound;
  FourFloats r = x - n * 0x1.63p-1f;  // n ln(2), whose first part is exact
  r -= n * -0x1.bd0106p-13f;
  // The polynomial of least greatest relative error for |r| <= ln(2) / 2.
  FourFloats p = 0x1.6b45a0p-10f * r + 0x1.123deep-7f;
  p = p * r + 0x1.555858p-5f;
  p = p * r + 0x1.55548cp-3f;
  p = p * r + 0x1.fffffcp-2f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<FourFloats>((std::bit_cast<FourBits>(shifted) << 23) + 0x3f800000);
}

// x[i] = exp(x[i])
inline void exp_all(float* x, std::size_t n) noexcept {
  constexpr std::size_t kLanes = 4;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const FourFloats four = exp(load_four(x + i));
    std::memcpy(x + i, &four, sizeof four);
  }
  FourFloats rest = {};
  std::memcpy(&rest, x + i, (n - i) * sizeof *x);
  rest = exp(rest);
  std::memcpy(x + i, &rest, (n - i) * sizeof *x);
}

}  // namespace lfm::base
