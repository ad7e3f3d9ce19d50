// The scalar kernels against the same formulas in double precision.
#include "kernels/vector/vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/vector/exp_scalar.h"
#include "tests/support/same_bits.h"

namespace lfm::kernels {
namespace {

using test::Random;

constexpr double kUlp = 0x1p-23;  // relative distance of neighbouring floats

std::vector<float> random_row(std::size_t n, Random& random) {
  std::vector<float> row(n);
  random.fill(row);
  return row;
}

TEST(Exp, IsAccurate) {
  constexpr int kPoints = 2'000'000;
  double worst = 0.0;
  for (int i = 0; i <= kPoints; ++i) {
    const auto x = static_cast<float>(-87.0 + 175.0 * i / kPoints);
    const double expected = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::fabs(scalar::exp(x) - expected) / expected);
  }
  EXPECT_LT(worst, 2e-7);
}

TEST(Exp, KeepsItsEnds) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(scalar::exp(0.0f), 1.0f);
  EXPECT_EQ(scalar::exp(-0.0f), 1.0f);
  EXPECT_EQ(scalar::exp(-kInfinity), scalar::exp(-87.0f));
  EXPECT_GE(scalar::exp(-87.0f), std::numeric_limits<float>::min());
  EXPECT_EQ(scalar::exp(kInfinity), scalar::exp(88.0f));
  EXPECT_TRUE(std::isfinite(scalar::exp(88.0f)));
  for (const std::uint32_t nan : {0x7f800001u, 0x7fc00000u, 0x7fc00001u, 0x7fffffffu, 0xffc00000u, 0xffffffffu}) {
    EXPECT_TRUE(std::isnan(scalar::exp(std::bit_cast<float>(nan)))) << std::hex << nan;
  }
}

TEST(Vector, RmsNorm) {
  constexpr std::size_t kN = 2048;
  Random random(1);
  const std::vector<float> x = random_row(kN, random), gamma = random_row(kN, random);
  std::vector<float> out(kN);
  scalar::kVector.rms_norm(x.data(), gamma.data(), kN, 1e-5f, out.data());

  double squares = 0.0;
  for (const float v : x) squares += static_cast<double>(v) * v;
  const double s = 1.0 / std::sqrt(squares / kN + 1e-5);
  for (std::size_t i = 0; i < kN; ++i) {
    const double expected = x[i] * s * gamma[i];
    EXPECT_NEAR(out[i], expected, std::fabs(expected) * (kN / 16.0 + 8.0) * kUlp);
  }
}

// Not zeros, which would hide that they are out of hand.
TEST(Vector, RmsNormOfWhatCannotBeSquared) {
  constexpr std::size_t kN = 32;
  const std::vector<float> gamma(kN, 1.0f);
  std::vector<float> x(kN, 1.0f), out(kN);
  for (const float large : {1e18f, 2e19f, 3e38f}) {
    x[17] = large;
    scalar::kVector.rms_norm(x.data(), gamma.data(), kN, 1e-5f, out.data());
    for (const float value : out) EXPECT_EQ(std::isnan(value), large > 1e19f) << large;
  }
}

TEST(Vector, Swiglu) {
  constexpr std::size_t kN = 4096;
  Random random(2);
  std::vector<float> gate = random_row(kN, random);
  const std::vector<float> up = random_row(kN, random);
  for (float& g : gate) g *= 20.0f;
  std::vector<float> out(kN);
  scalar::kVector.swiglu(gate.data(), up.data(), kN, out.data());
  for (std::size_t i = 0; i < kN; ++i) {
    const double g = gate[i];
    const double expected = g / (1.0 + std::exp(-g)) * up[i];
    EXPECT_NEAR(out[i], expected, std::fabs(expected) * 5.0 * kUlp) << g;
  }
}

TEST(Vector, Adds) {
  Random random(3);
  const std::vector<float> x = random_row(64, random), before = random_row(64, random);
  std::vector<float> sum = before, scaled = before;
  scalar::kVector.add(x.data(), 64, sum.data());
  scalar::kVector.add_scaled(x.data(), 0.3f, 64, scaled.data());
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(sum[i], before[i] + x[i]);
    EXPECT_EQ(scaled[i], std::fma(0.3f, x[i], before[i]));
  }
}

TEST(Vector, RopeRotatesPairs) {
  constexpr std::size_t kHalf = 32;
  Random random(4);
  const std::vector<float> x = random_row(2 * kHalf, random);
  std::vector<float> cos(kHalf), sin(kHalf), out = x;
  for (std::size_t i = 0; i < kHalf; ++i) {
    const double angle = 17.0 * std::pow(1e6, -static_cast<double>(i) / kHalf);
    cos[i] = static_cast<float>(std::cos(angle));
    sin[i] = static_cast<float>(std::sin(angle));
  }
  scalar::kVector.rope(out.data(), cos.data(), sin.data(), 2 * kHalf);
  for (std::size_t i = 0; i < kHalf; ++i) {
    const double angle = 17.0 * std::pow(1e6, -static_cast<double>(i) / kHalf);
    const double a = x[i], b = x[i + kHalf];
    const double slack = (std::fabs(a) + std::fabs(b)) * 2.0 * kUlp;
    EXPECT_NEAR(out[i], a * std::cos(angle) - b * std::sin(angle), slack);
    EXPECT_NEAR(out[i + kHalf], b * std::cos(angle) + a * std::sin(angle), slack);
  }
}

// bcx: tokens rows of {B[16], C[16], x[16]}
void convolve(const float* bcx, std::size_t tokens, const std::vector<float>& taps, std::vector<float>& state,
              float* out) {
  scalar::kVector.short_conv(bcx, bcx + 16, bcx + 32, 48, tokens, taps.data(), taps.size() / 16, state.data(), out, 16);
}

// The convolution of a whole sequence from a zero state, token by token from its definition.
TEST(Vector, ShortConvIsTheConvolution) {
  constexpr std::size_t kTokens = 11;
  for (std::size_t l = 2; l <= kMaxTaps; ++l) {
    Random random(static_cast<std::uint32_t>(l));
    const std::vector<float> bcx = random_row(kTokens * 48, random), taps = random_row(l * 16, random);
    std::vector<float> state((l - 1) * 16), out(kTokens * 16);
    convolve(bcx.data(), kTokens, taps, state, out.data());
    for (std::size_t t = 0; t < kTokens; ++t) {
      for (std::size_t channel = 0; channel < 16; ++channel) {
        double sum = 0.0, magnitude = 0.0;
        for (std::size_t back = 0; back < l && back <= t; ++back) {
          const float* row = &bcx[(t - back) * 48 + channel];
          const double term = static_cast<double>(taps[(l - 1 - back) * 16 + channel]) * row[0] * row[32];
          sum += term;
          magnitude += std::fabs(term);
        }
        const double c = bcx[t * 48 + 16 + channel];
        EXPECT_NEAR(out[t * 16 + channel], c * sum, std::fabs(c) * magnitude * static_cast<double>(l) * kUlp);
      }
    }
  }
}

TEST(Vector, ShortConvDoesNotDependOnChunks) {
  constexpr std::size_t kTokens = 11;
  for (std::size_t l = 2; l <= kMaxTaps; ++l) {
    Random random(static_cast<std::uint32_t>(l));
    const std::vector<float> bcx = random_row(kTokens * 48, random), taps = random_row(l * 16, random);
    std::vector<float> state = random_row((l - 1) * 16, random), out(kTokens * 16);
    std::vector<float> chunked_state = state, chunked(kTokens * 16);
    convolve(bcx.data(), kTokens, taps, state, out.data());
    std::size_t done = 0;
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{1}, kTokens - 2}) {
      convolve(&bcx[done * 48], chunk, taps, chunked_state, &chunked[done * 16]);
      done += chunk;
    }
    test::expect_same_bits(out, chunked);
    test::expect_same_bits(state, chunked_state);
  }
}

}  // namespace
}  // namespace lfm::kernels
