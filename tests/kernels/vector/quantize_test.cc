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

// One token of one block of an activation tile.
struct ActBlock {
  std::int8_t q[kBlockColumns];
  float scale;
  std::int32_t neg8_sum, neg8_low;
  float scaled_sum;
};

ActBlock read_block(const std::vector<std::byte>& tile, std::size_t mr, std::size_t slot, std::size_t b) {
  const std::byte* block = tile.data() + b * kActBlockBytes * mr;
  const std::byte* words = block + mr * kBlockColumns + slot * 4;
  ActBlock out;
  std::memcpy(out.q, block + slot * kBlockColumns, kBlockColumns);
  std::memcpy(&out.scale, words, 4);
  std::memcpy(&out.neg8_sum, words + mr * 4, 4);
  std::memcpy(&out.neg8_low, words + mr * 8, 4);
  std::memcpy(&out.scaled_sum, words + mr * 12, 4);
  return out;
}

TEST(QuantizeAct, IsCloseAndSumsAreRight) {
  constexpr std::size_t kK = 256;
  for (const std::size_t mr : {1, 2, 4, 8, 12}) {
    Random random(static_cast<std::uint32_t>(mr));
    std::vector<std::vector<float>> tokens(mr, std::vector<float>(kK));
    std::vector<std::byte> tile(kK / kBlockColumns * kActBlockBytes * mr);
    for (std::size_t slot = 0; slot < mr; ++slot) {
      random.fill(tokens[slot]);
      scalar::kVector.quantize_act(tokens[slot].data(), kK, tile.data(), mr, slot);
    }
    for (std::size_t slot = 0; slot < mr; ++slot) {
      for (std::size_t b = 0; b < kK / kBlockColumns; ++b) {
        const ActBlock block = read_block(tile, mr, slot, b);
        std::int32_t low = 0, sum = 0, largest = 0;
        for (std::size_t i = 0; i < kBlockColumns; ++i) {
          // Half a step, and the rounding of x * (127 / amax) in float.
          EXPECT_NEAR(tokens[slot][b * kBlockColumns + i], block.scale * block.q[i], block.scale * (0.5f + 5e-5f));
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
}

TEST(QuantizeAct, NothingGivesZeros) {
  for (const float nothing : {0.0f, -0.0f, 1e-38f, 1e-45f}) {
    const std::vector<float> x(kBlockColumns, nothing);
    std::vector<std::byte> tile(kActBlockBytes, std::byte{0xff});
    scalar::kVector.quantize_act(x.data(), kBlockColumns, tile.data(), 1, 0);
    EXPECT_EQ(tile, std::vector<std::byte>(kActBlockBytes));
  }
}

TEST(QuantizeAct, NanAndInfinityReachTheResult) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> x(2 * kBlockColumns, 1.0f);
    x[17] = bad;
    std::vector<std::byte> tile(2 * kActBlockBytes);
    scalar::kVector.quantize_act(x.data(), x.size(), tile.data(), 1, 0);
    const ActBlock spoilt = read_block(tile, 1, 0, 0), sound = read_block(tile, 1, 0, 1);
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
