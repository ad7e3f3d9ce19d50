// Against long double, and against bits that are written down here: they are the same on every machine.
#include "kernels/math/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lfm::kernels {
namespace {

TEST(Sigmoid, IsClose) {
  for (int i = -4000; i <= 4000; ++i) {
    const float x = static_cast<float>(i) / 50.0f;
    const long double expected = 1 / (1 + std::exp(-static_cast<long double>(x)));
    EXPECT_NEAR(static_cast<double>(sigmoid(x) / expected), 1, 3e-7) << x;
  }
}

TEST(Sigmoid, Ends) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(sigmoid(0.0f), 0.5f);
  EXPECT_EQ(sigmoid(kInfinity), 1.0f);
  EXPECT_LT(sigmoid(-kInfinity), 1e-37f);
  EXPECT_TRUE(std::isnan(sigmoid(std::numeric_limits<float>::quiet_NaN())));
}

// Beyond half of a float's last place: the error of an angle in double, which is worst where angles are large.
TEST(RotaryAngles, AreClose) {
  constexpr std::size_t kHalves[] = {1, 16, 32, 48, 128};
  constexpr std::size_t kPositions[] = {0, 1, 2, 3, 11, 1000, 4097, 131071, 4294967295};
  for (const double base : {1.0, 2.5, 10000.0, 1e6, 5e6, 1e12}) {
    for (const std::size_t half : kHalves) {
      std::vector<float> cos(half), sin(half);
      for (const std::size_t position : kPositions) {
        rotary_angles(base, position, half, cos.data(), sin.data());
        for (std::size_t i = 0; i < half; ++i) {
          SCOPED_TRACE(testing::Message() << base << ", position " << position << ", " << i << " of " << half);
          const long double power = -static_cast<long double>(i) / static_cast<long double>(half);
          const long double angle =
              static_cast<long double>(position) * std::pow(static_cast<long double>(base), power);
          const double tolerance = 0x1p-25 + 1e-14 * static_cast<double>(angle);
          ASSERT_NEAR(static_cast<double>(cos[i]), static_cast<double>(std::cos(angle)), tolerance);
          ASSERT_NEAR(static_cast<double>(sin[i]), static_cast<double>(std::sin(angle)), tolerance);
        }
      }
    }
  }
}

// The bits of a long row of results, as one number.
std::uint64_t hash_of(std::span<const float> values) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const float value : values) hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 1099511628211u;
  return hash;
}

TEST(Bits, OfSigmoid) {
  std::vector<float> out;
  for (int i = -30000; i <= 30000; ++i) out.push_back(sigmoid(static_cast<float>(i) * 0x1p-8f));
  EXPECT_EQ(hash_of(out), 0x1304968282e3c9bdu);
}

TEST(Bits, OfRotaryAngles) {
  constexpr std::size_t kHalf = 32, kPositions = 2000;
  std::vector<float> cos(kHalf * kPositions), sin(kHalf * kPositions);
  for (std::size_t i = 0; i < kPositions; ++i) {
    rotary_angles(1e6, i * 61, kHalf, &cos[i * kHalf], &sin[i * kHalf]);
  }
  EXPECT_EQ(hash_of(cos), 0x8f18e4467ef48ceau);
  EXPECT_EQ(hash_of(sin), 0x3120afc0b3a28fe5u);
}

}  // namespace
}  // namespace lfm::kernels
