// exp and the fold of 16 lanes, shared by the scalar files of vector and attention.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/vector/exp_constants.h"

namespace lfm::kernels::scalar {
namespace {

inline float exp(float x) {
  using namespace exp_constants;
  x = kLow > x ? kLow : x;
  x = kHigh < x ? kHigh : x;
  const float shifted = std::fma(x, kLog2E, kRound);
  const float n = shifted - kRound;
  float r = std::fma(-n, kLn2High, x);
  r = std::fma(-n, kLn2Low, r);
  float p = std::fma(kC6, r, kC5);
  p = std::fma(p, r, kC4);
  p = std::fma(p, r, kC3);
  p = std::fma(p, r, kC2);
  p = std::fma(p, r, 1.0f);
  p = std::fma(p, r, 1.0f);
  return p * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000u);
}

inline float fold(float (&lanes)[16]) {
  for (int width = 8; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

}  // namespace
}  // namespace lfm::kernels::scalar
