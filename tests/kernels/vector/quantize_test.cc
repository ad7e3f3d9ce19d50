// What the quantised forms promise: small errors, right sums, a visible NaN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/matmul/layout.h"
#include "kernels/vector/vector.h"
#include "tests/support/same_bits.h"

namespace lfm::kernels {
namespace {

using test::Random;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A block of a row of activations.
struct ActBlock {
  std::int8_t q[kBlockColumns];
  float scale;
  std::int32_t neg8_sum, neg8_low;
  float scaled_sum;
};
static_assert(sizeof(ActBlock) == kActBlockBytes);

ActBlock read_block(const std::vector<std::byte>& row, std::size_t b) {
  ActBlock out;
  std::memcpy(&out, row.data() + b * kActBlockBytes, kActBlockBytes);
  return out;
}

TEST(QuantizeAct, IsCloseAndSumsAreRight) {
  constexpr std::size_t kK = 256;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    std::vector<float> x(kK);
    std::vector<std::byte> row(act_row_bytes(kK));
    random.fill(x);
    scalar::kVector.quantize_act(x.data(), kK, row.data());
    for (std::size_t b = 0; b < kK / kBlockColumns; ++b) {
      const ActBlock block = read_block(row, b);
      std::int32_t low = 0, sum = 0, largest = 0;
      for (std::size_t i = 0; i < kBlockColumns; ++i) {
        // Half a step, and the rounding of x * (127 / amax) in float.
        EXPECT_NEAR(x[b * kBlockColumns + i], block.scale * block.q[i], block.scale * (0.5f + 5e-5f));
        sum += block.q[i];
        if (i < 16) low += block.q[i];
        largest = std::max(largest, std::abs(std::int32_t{block.q[i]}));
      }
      EXPECT_EQ(largest, 127);
      EXPECT_EQ(block.neg8_sum, -8 * sum);
      EXPECT_EQ(block.neg8_low, -8 * low);
      EXPECT_EQ(block.scaled_sum, block.scale * static_cast<float>(sum));
    }
  }
}

TEST(QuantizeAct, NothingGivesZeros) {
  for (const float nothing : {0.0f, -0.0f, 1e-38f, 1e-45f}) {
    const std::vector<float> x(kBlockColumns, nothing);
    std::vector<std::byte> row(kActBlockBytes, std::byte{0xff});
    scalar::kVector.quantize_act(x.data(), kBlockColumns, row.data());
    EXPECT_EQ(row, std::vector<std::byte>(kActBlockBytes));
  }
}

TEST(QuantizeAct, NanAndInfinityReachTheResult) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> x(2 * kBlockColumns, 1.0f);
    x[17] = bad;
    std::vector<std::byte> row(2 * kActBlockBytes);
    scalar::kVector.quantize_act(x.data(), x.size(), row.data());
    const ActBlock spoilt = read_block(row, 0), sound = read_block(row, 1);
    EXPECT_TRUE(std::isnan(spoilt.scale));
    EXPECT_TRUE(std::isnan(spoilt.scaled_sum));
    EXPECT_EQ(spoilt.neg8_sum, 0);
    EXPECT_EQ(spoilt.q[3], 0);
    EXPECT_EQ(sound.q[3], 127);
  }
}

TEST(QuantizeRow, IsCloseAndZeroIsExact) {
  constexpr std::size_t kK = 512;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    std::vector<float> x(kK);
    random.fill(x);
    const float offset = (static_cast<float>(seed) - 25.0f) / 5.0f;  // from all negative to all positive
    for (float& v : x) v += offset;
    x[5] = 0.0f;
    std::vector<std::int8_t> q(kK);
    float scale = 0.0f;
    std::int32_t zero_point = 0;
    scalar::kVector.quantize_row(x.data(), kK, q.data(), &scale, &zero_point);
    EXPECT_GE(zero_point, -128);
    EXPECT_LE(zero_point, 127);
    EXPECT_EQ(q[5], zero_point);
    // Half a step; the ends may lose another half to the nudge of the zero point.
    for (std::size_t i = 0; i < kK; ++i) {
      const float slack = q[i] == -128 || q[i] == 127 ? 1.0f : 0.5f;
      EXPECT_NEAR(x[i], scale * static_cast<float>(q[i] - zero_point), scale * (slack + 1e-4f));
    }
  }
}

TEST(QuantizeRow, NothingGivesZeros) {
  std::vector<float> x(32, 0.0f);
  std::vector<std::int8_t> q(32, 99);
  float scale = 99.0f;
  std::int32_t zero_point = 99;
  scalar::kVector.quantize_row(x.data(), 32, q.data(), &scale, &zero_point);
  EXPECT_EQ(q, std::vector<std::int8_t>(32));
  EXPECT_EQ(scale, 0.0f);
  EXPECT_EQ(zero_point, 0);
}

TEST(QuantizeRow, NanAndInfinityReachTheResult) {
  for (const float bad : {kNan, kInfinity, -kInfinity, -3e38f}) {  // the last: 3e38 - -3e38 is beyond float
    std::vector<float> x(32, 3e38f);
    x[17] = bad;
    std::vector<std::int8_t> q(32, 99);
    float scale = 0.0f;
    std::int32_t zero_point = 99;
    scalar::kVector.quantize_row(x.data(), 32, q.data(), &scale, &zero_point);
    EXPECT_TRUE(std::isnan(scale));
    EXPECT_EQ(q, std::vector<std::int8_t>(32));
    EXPECT_EQ(zero_point, 0);
  }
}

}  // namespace
}  // namespace lfm::kernels
