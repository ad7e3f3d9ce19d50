#include "quantize/blocks/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "quantize/blocks/blocks.h"
#include "quantize/blocks/grid.h"
#include "quantize/blocks/halves.h"
#include "support/tiny_model.h"

namespace lfm::quantize {
namespace {

using format::TensorType;

// The same numbers with every library.
std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
      seed = seed * 1664525u + 1013904223u;
      sum += static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
    }
    value = sum;
  }
  return values;
}

double error_of(TensorType type, const std::vector<float>& values, const float* weights = nullptr) {
  std::vector<std::byte> bytes(values.size() / format::block_columns(type) * format::block_bytes(type));
  EXPECT_EQ(encode(type, values, weights, bytes.data()), -1);
  std::vector<float> decoded(values.size());
  EXPECT_EQ(decode(type, bytes.data(), 1, values.size(), decoded.data()), -1);
  double error = 0, all = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w = weights != nullptr ? weights[i] : 1, d = decoded[i] - values[i];
    error += w * d * d;
    all += w * values[i] * values[i];
  }
  return std::sqrt(error / all);
}

TEST(Halves, ComeBackAsTheyWere) {
  for (std::uint32_t half = 0; half < 65536; ++half) {
    if ((half & 0x7c00u) == 0x7c00u) continue;
    EXPECT_EQ(half_of(float_of_half(static_cast<std::uint16_t>(half))), half);
    EXPECT_EQ(bfloat_of(float_of_bfloat(static_cast<std::uint16_t>(half))), half);
  }
}

TEST(Halves, AreRoundedToTheNearestEven) {
  EXPECT_EQ(half_of(1.0f + 0x1p-11f), 0x3c00u);      // halfway, down to even
  EXPECT_EQ(half_of(1.0f + 3 * 0x1p-11f), 0x3c02u);  // halfway, up to even
  EXPECT_EQ(half_of(1.0f + 0x1.2p-11f), 0x3c01u);
  EXPECT_EQ(half_of(0x1p-25f), 0u);  // half of the smallest
  EXPECT_EQ(half_of(0x1.8p-24f), 2u);
  EXPECT_EQ(half_of(65519.0f), 0x7bffu);
  EXPECT_EQ(half_of(65520.0f), 0x7c00u);
  EXPECT_EQ(half_of(-2.0f), 0xc000u);
  EXPECT_EQ(bfloat_of(1.0f + 0x1p-8f), 0x3f80u);
  EXPECT_EQ(bfloat_of(1.0f + 3 * 0x1p-8f), 0x3f82u);
}

// No scale of either sign that the nearest codes of a ratio to the largest weight ask for does better than the one that
// is found: each tried by itself, in doubles.
TEST(Encode, NoOtherScaleIsBetter) {
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kIQ4_NL, TensorType::kQ6_K}) {
    const Grid& grid = *grid_of(type);
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
      const std::vector<float> x = noise(grid.columns, seed), w = noise(grid.columns, seed + 1000);
      std::vector<float> weights(w.size());
      float largest = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        weights[i] = w[i] * w[i];
        largest = std::max(largest, std::abs(x[i]));
      }
      // How much of the squared error a scale takes away that is fitted to these codes.
      const auto gain = [&](float inverse) {
        double xq = 0, qq = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double code = nearest(grid, x[i] * inverse);
          xq += double{weights[i]} * x[i] * code;
          qq += double{weights[i]} * code * code;
        }
        return qq > 0 ? xq * xq / qq : 0;
      };
      double most = 0;
      for (int i = 0; i < 13; ++i) {
        const float inverse = (grid.first_ratio + static_cast<float>(i) * grid.step) / largest;
        most = std::max({most, gain(inverse), gain(-inverse)});
      }
      EXPECT_GE(gain(1 / best_scale(grid, x, weights.data()).scale), most * (1 - 1e-5)) << to_string(type) << seed;
    }
  }
}

// What a grid holds exactly stays: the scale is found, whichever sign it has.
TEST(Encode, FindsTheGridThatWeightsLieOn) {
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kIQ4_NL}) {
    for (const float scale : {0.25f, -0.25f}) {
      std::vector<float> codes;
      for (std::size_t i = 0; i < kBlock; ++i)
        codes.push_back(type == TensorType::kQ4_0 ? static_cast<float>(i % 16) - 8
                                                  : nearest(*grid_of(type), static_cast<float>(i) * 8 - 127));
      std::vector<float> values;
      for (const float code : codes) values.push_back(code * scale);
      EXPECT_EQ(error_of(type, values), 0) << to_string(type) << " " << scale;
    }
  }
}

// What was chosen is what the kernels' unpacking reads.
TEST(Encode, BlocksHoldTheirCodesAndScales) {
  for (const TensorType type : {TensorType::kQ4_K, TensorType::kQ5_K, TensorType::kQ6_K}) {
    const Grid& grid = *grid_of(type);
    BlockScales scales;
    scales.d = half_of(0.5f);
    scales.dmin = grid.minima ? half_of(0.25f) : 0;
    std::vector<float> codes(256), expected(256), decoded(256);
    for (std::size_t run = 0; run < 256 / grid.columns; ++run) {
      scales.scales[run] = static_cast<std::int8_t>(grid.minima ? 7 * run + 3 : 5 * run - 40);
      if (grid.minima) scales.minima[run] = static_cast<std::uint8_t>(60 - 6 * run);
    }
    for (std::size_t i = 0; i < 256; ++i) {
      const auto levels = static_cast<std::size_t>(grid.most - grid.least) + 1;
      codes[i] = grid.least + static_cast<float>(i * 37 % levels);
      const Scale scale = scales.of(i / grid.columns);
      expected[i] = codes[i] * scale.scale - scale.minimum;
    }
    std::vector<std::byte> bytes(format::block_bytes(type));
    put_block(type, scales, codes.data(), bytes.data());
    ASSERT_EQ(decode(type, bytes.data(), 1, 256, decoded.data()), -1);
    EXPECT_EQ(decoded, expected) << to_string(type);
  }
}

// On numbers that are nearly normal.
TEST(Encode, ErrorsAreThoseOfTheBestScales) {
  const std::vector<float> values = noise(16384, 1);
  EXPECT_LT(error_of(TensorType::kQ4_0, values), 0.0835);
  EXPECT_LT(error_of(TensorType::kIQ4_NL, values), 0.0775);
  EXPECT_LT(error_of(TensorType::kQ4_K, values), 0.0735);
  EXPECT_LT(error_of(TensorType::kQ5_K, values), 0.036);
  EXPECT_LT(error_of(TensorType::kQ6_K, values), 0.0195);
  EXPECT_LT(error_of(TensorType::kQ8_0, values), 0.0055);
}

TEST(Encode, WeightsOfColumnsCount) {
  const std::vector<float> values = noise(4096, 2);
  std::vector<float> weights(values.size(), 0.01f);
  for (std::size_t i = 0; i < weights.size(); i += 8) weights[i] = 100;
  const double with = error_of(TensorType::kQ4_0, values, weights.data());
  std::vector<std::byte> bytes(values.size() / 32 * 18);
  encode(TensorType::kQ4_0, values, nullptr, bytes.data());
  std::vector<float> decoded(values.size());
  decode(TensorType::kQ4_0, bytes.data(), 1, values.size(), decoded.data());
  double error = 0, all = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += static_cast<double>(weights[i] * (decoded[i] - values[i]) * (decoded[i] - values[i]));
    all += static_cast<double>(weights[i] * values[i] * values[i]);
  }
  EXPECT_LT(with, 0.8 * std::sqrt(error / all));
}

TEST(Encode, WeightsThatSayNothingAreLeftOut) {
  const std::vector<float> values = noise(256, 5);
  for (const TensorType type :
       {TensorType::kQ4_0, TensorType::kIQ4_NL, TensorType::kQ4_K, TensorType::kQ5_K, TensorType::kQ6_K}) {
    const double plain = error_of(type, values);
    for (const float weight : {0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      const std::vector<float> weights(values.size(), weight);
      std::vector<std::byte> bytes(values.size() / format::block_columns(type) * format::block_bytes(type));
      ASSERT_EQ(encode(type, values, weights.data(), bytes.data()), -1);
      std::vector<float> decoded(values.size());
      ASSERT_EQ(decode(type, bytes.data(), 1, values.size(), decoded.data()), -1);
      double error = 0, all = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        error += std::pow(static_cast<double>(decoded[i] - values[i]), 2);
        all += std::pow(static_cast<double>(values[i]), 2);
      }
      EXPECT_LT(error / all, 1.3 * plain) << format::block_bytes(type) << " bytes, weights of " << weight;
    }
  }
}

TEST(Encode, ZerosStayZeros) {
  const std::vector<float> zeros(256);
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kIQ4_NL, TensorType::kQ4_K, TensorType::kQ5_K,
                                TensorType::kQ6_K, TensorType::kQ8_0}) {
    std::vector<std::byte> bytes(256 / format::block_columns(type) * format::block_bytes(type));
    ASSERT_EQ(encode(type, zeros, nullptr, bytes.data()), -1);
    std::vector<float> decoded(256, 1);
    decode(type, bytes.data(), 1, 256, decoded.data());
    EXPECT_EQ(decoded, zeros) << to_string(type);
    std::vector<float> tiny = zeros;
    tiny[3] = 1e-44f, tiny[40] = -1e-38f;
    ASSERT_EQ(encode(type, tiny, nullptr, bytes.data()), -1);
    decode(type, bytes.data(), 1, 256, decoded.data());
    for (const float value : decoded) EXPECT_EQ(value, 0) << to_string(type);
  }
}

TEST(Encode, NamesWhatItCantHold) {
  std::vector<float> values(256, 1);
  std::vector<std::byte> bytes(2048);
  values[70] = std::numeric_limits<float>::quiet_NaN();
  for (const TensorType type : {TensorType::kF32, TensorType::kBF16, TensorType::kQ4_0, TensorType::kQ6_K})
    EXPECT_EQ(encode(type, values, nullptr, bytes.data()), 70);
  values[70] = 1e30f;
  EXPECT_EQ(encode(TensorType::kF16, values, nullptr, bytes.data()), 70);
  EXPECT_EQ(encode(TensorType::kQ4_0, values, nullptr, bytes.data()), 64);
  EXPECT_EQ(encode(TensorType::kQ8_0, values, nullptr, bytes.data()), 64);
  EXPECT_EQ(encode(TensorType::kQ6_K, values, nullptr, bytes.data()), 0);
  EXPECT_EQ(encode(TensorType::kQ5_K, values, nullptr, bytes.data()), 0);
  EXPECT_EQ(encode(TensorType::kBF16, values, nullptr, bytes.data()), -1);
}

// Or else tests of such types would compare zeros: scales of some lie below the normal numbers of 16 bits.
TEST(Decode, RandomWeightsOfTestsAreAsLargeAsAskedFor) {
  using enum TensorType;
  for (const TensorType type :
       {kF16, kBF16, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_NL, kIQ4_XS, kMXFP4}) {
    for (const float deviation : {0.1f, 1.0f / 16, 1.0f / 64}) {
      constexpr std::size_t kCount = 1 << 14;
      std::uint32_t seed = 1;
      const std::string bytes = test::random_weights(type, kCount, deviation, seed);
      std::vector<float> weights(kCount);
      ASSERT_EQ(decode(type, reinterpret_cast<const std::byte*>(bytes.data()), 1, kCount, weights.data()), -1);
      double squares = 0;
      for (const float weight : weights) squares += static_cast<double>(weight) * weight;
      const double found = std::sqrt(squares / kCount);
      EXPECT_GT(found, 0.5f * deviation) << to_string(type);
      EXPECT_LT(found, 2.0f * deviation) << to_string(type);
    }
  }
}

}  // namespace
}  // namespace lfm::quantize
