// exp of floats in plain arithmetic, of which compilers make vectors where it stands in a loop.
#pragma once

#include <bit>
#include <cstdint>

namespace lfm::base {

// Relative error below 3e-7. x is held to [-87, 88]; NaN stays NaN.
inline float exp(float x) noexcept {
  constexpr float kLow = -87, kHigh = 88;  // the result stays a normal number
  constexpr float kRound = 0x1.8p+23f;     // added, it rounds to an integer, which is in the low bits then
  x = kLow > x ? kLow : x;
  x = kHigh < x ? kHigh : x;
  const float shifted = x * 0x1.715476p+0f + kRound;  // log2(e)
  const float n = shifted - kRound;
  float r = x - n * 0x1.63p-1f;  // n ln(2), whose first part is exact
  r -= n * -0x1.bd0106p-13f;
  // The polynomial of least greatest relative error for |r| <= ln(2) / 2.
  float p = 0x1.6b45a0p-10f * r + 0x1.123deep-7f;
  p = p * r + 0x1.555858p-5f;
  p = p * r + 0x1.55548cp-3f;
  p = p * r + 0x1.fffffcp-2f;
  p = p * r + 1;
  p = p * r + 1;
  return p * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000u);
}

}  // namespace lfm::base
