// The scalar conversions to and from f16, seen through the cache, against their definition.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/kernels/attention/kv_cache.h"

namespace lfm::kernels {
namespace {

using test::Edge;
using test::KvCache;
using test::Random;

constexpr std::size_t kHeadDim = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The value of a half that is not NaN; 2^16 stands where the next binade would begin.
double value_of(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

std::uint16_t to_f16(float x) {
  static KvCache cache(1, 16, Edge::kStart);
  float row[16] = {x};
  cache.append(scalar::kAttention, row, row, 0);
  EXPECT_EQ(cache.k(0, 0), cache.v(0, 0));
  return cache.v(0, 0);
}

// With a single position its weight is 1, and the result the value.
TEST(F16, EveryHalfIsReadExactly) {
  KvCache cache(1, kHeadDim, Edge::kEnd);
  for (std::size_t d = 0; d < kHeadDim; ++d) cache.k(0, d) = 0;
  const std::vector<float> q(kHeadDim);
  const std::uint32_t limit = 1;
  for (std::size_t first = 0; first < 0x10000; first += kHeadDim) {
    for (std::size_t d = 0; d < kHeadDim; ++d) cache.v(0, d) = static_cast<std::uint16_t>(first + d);
    const std::vector<float> out = test::attend(scalar::kAttention, q, {&limit, 1}, cache, kHeadDim);
    for (std::size_t d = 0; d < kHeadDim; ++d) {
      const auto half = static_cast<std::uint16_t>(first + d);
      if ((half & 0x7fff) > 0x7c00) {
        EXPECT_TRUE(std::isnan(out[d])) << std::hex << half;
      } else if ((half & 0x7fff) == 0x7c00) {
        EXPECT_EQ(out[d], half & 0x8000 ? -kInfinity : kInfinity);
      } else {
        EXPECT_EQ(out[d], value_of(half)) << std::hex << half;
      }
    }
  }
}

TEST(F16, RoundsToNearestEven) {
  for (std::uint16_t half = 0; half < 0x7c00; ++half) {
    const double here = value_of(half), next = value_of(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((here + next) / 2);
    const auto even = static_cast<std::uint16_t>(half + half % 2);
    for (const std::uint16_t sign : {std::uint16_t{0}, std::uint16_t{0x8000}}) {
      const float s = sign != 0 ? -1.0f : 1.0f;
      ASSERT_EQ(to_f16(s * static_cast<float>(here)), sign | half) << here;
      ASSERT_EQ(to_f16(s * std::nextafter(middle, 0.0f)), sign | half) << middle;
      ASSERT_EQ(to_f16(s * middle), sign | even) << middle;
      ASSERT_EQ(to_f16(s * std::nextafter(middle, kInfinity)), sign | (half + 1)) << middle;
    }
  }
}

TEST(F16, KeepsWhatIsNotANumber) {
  EXPECT_EQ(to_f16(kInfinity), 0x7c00);
  EXPECT_EQ(to_f16(-kInfinity), 0xfc00);
  EXPECT_EQ(to_f16(3e38f), 0x7c00);
  EXPECT_EQ(to_f16(std::bit_cast<float>(0x7f800001u)), 0x7e00);
  EXPECT_EQ(to_f16(std::bit_cast<float>(0xffffffffu)), 0xffff);
  EXPECT_EQ(to_f16(1e-45f), 0);
  EXPECT_EQ(to_f16(-1e-45f), 0x8000);
}

}  // namespace
}  // namespace lfm::kernels
