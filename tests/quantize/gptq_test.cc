#include "quantize/gptq.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/cpu.h"
#include "quantize/blocks/encode.h"
#include "quantize/moments.h"

namespace lfm::quantize {
namespace {

using format::TensorType;

constexpr std::size_t kColumns = 256, kRows = 16, kTokens = 1024;

// Numbers in [-1, 1), the same with every library.
std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

// Inputs whose channels have much in common.
std::vector<float> inputs(std::uint32_t seed) {
  constexpr std::size_t kCauses = 40;
  const std::vector<float> causes = noise(kTokens * kCauses, seed), mix = noise(kCauses * kColumns, 99);
  std::vector<float> x = noise(kTokens * kColumns, seed + 1);
  for (std::size_t t = 0; t < kTokens; ++t) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      x[t * kColumns + i] *= 0.2f;
      for (std::size_t c = 0; c < kCauses; ++c) x[t * kColumns + i] += causes[t * kCauses + c] * mix[c * kColumns + i];
    }
  }
  return x;
}

// Of the outputs w x and q y, squared.
double error_of(const std::vector<float>& w, const std::vector<float>& x, const std::vector<float>& q,
                const std::vector<float>& y) {
  double error = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t t = 0; t < kTokens; ++t) {
      double difference = 0;
      for (std::size_t i = 0; i < kColumns; ++i)
        difference +=
            static_cast<double>(w[r * kColumns + i] * x[t * kColumns + i] - q[r * kColumns + i] * y[t * kColumns + i]);
      error += difference * difference;
    }
  }
  return error;
}

class Gptq : public testing::TestWithParam<TensorType> {
 protected:
  Feedback feedback(const std::vector<float>& x, const std::vector<float>& y) const {
    Moments moments(kColumns, y.empty() ? Moments::Kind::kOneStream : Moments::Kind::kTwoStreams);
    moments.add(dense_, x.data(), y.data(), kTokens);
    moments.to_means();
    return Feedback(dense_, kColumns, moments.h, moments.c);
  }
  std::vector<float> plain() const {
    std::vector<std::byte> bytes(kRows * kColumns);
    encode(GetParam(), weights_, nullptr, bytes.data());
    std::vector<float> q(weights_.size());
    decode(GetParam(), bytes.data(), kRows, kColumns, q.data());
    return q;
  }

  const Dense& dense_ = dense(lfm::base::best_isa());
  const std::vector<float> weights_ = noise(kRows * kColumns, 5), x_ = inputs(1);
};

TEST_P(Gptq, OutputsAreNearerThanWithNearestWeights) {
  std::vector<float> q = weights_;
  std::vector<std::byte> bytes(kRows * kColumns);
  ASSERT_TRUE(feedback(x_, {}).quantize(GetParam(), q.data(), kRows, bytes.data()));
  EXPECT_LT(error_of(weights_, x_, q, x_), 0.3 * error_of(weights_, x_, plain(), x_));
  std::vector<float> written(q.size());
  decode(GetParam(), bytes.data(), kRows, kColumns, written.data());
  EXPECT_EQ(written, q);
}

TEST_P(Gptq, AimsAtOutputsOfOtherInputs) {
  std::vector<float> y = x_;
  const std::vector<float> change = noise(y.size(), 8);
  for (std::size_t t = 0; t < kTokens; ++t) {
    for (std::size_t i = 0; i < kColumns; ++i)
      y[t * kColumns + i] =
          0.9f * y[t * kColumns + i] + 0.15f * x_[t * kColumns + (i + 1) % kColumns] + 0.02f * change[t * kColumns + i];
  }
  std::vector<float> aimed = weights_, unaimed = weights_;
  std::vector<std::byte> bytes(kRows * kColumns);
  ASSERT_TRUE(feedback(y, x_).quantize(GetParam(), aimed.data(), kRows, bytes.data()));
  ASSERT_TRUE(feedback(y, {}).quantize(GetParam(), unaimed.data(), kRows, bytes.data()));
  EXPECT_LT(error_of(weights_, x_, aimed, y), 0.5 * error_of(weights_, x_, unaimed, y));
}

// Inputs that say nothing, or the same in every channel, or no inputs at all.
TEST_P(Gptq, NeedsNoWholeInputs) {
  for (const float value : {0.0f, 1.0f}) {
    const std::vector<float> x(kTokens * kColumns, value);
    std::vector<float> q = weights_;
    std::vector<std::byte> bytes(kRows * kColumns);
    ASSERT_TRUE(feedback(x, x).quantize(GetParam(), q.data(), kRows, bytes.data()));
    for (std::size_t i = 0; i < q.size(); ++i) EXPECT_NEAR(q[i], weights_[i], value == 0 ? 0.2 : 3);
  }
}

TEST_P(Gptq, NumbersThatAreNoneDoNoHarm) {
  std::vector<float> x = x_;
  x[5] = std::numeric_limits<float>::infinity();
  std::vector<float> q = weights_;
  std::vector<std::byte> bytes(kRows * kColumns);
  ASSERT_TRUE(feedback(x, x_).quantize(GetParam(), q.data(), kRows, bytes.data()));
  for (std::size_t i = 0; i < q.size(); ++i) EXPECT_NEAR(q[i], weights_[i], 0.2);
}

INSTANTIATE_TEST_SUITE_P(Types, Gptq,
                         testing::Values(TensorType::kQ4_0, TensorType::kIQ4_NL, TensorType::kQ4_K, TensorType::kQ5_K,
                                         TensorType::kQ6_K));

TEST(Dense, CopiesAgree) {
  const std::vector<float> a = noise(7 * 40, 1), b = noise(9 * 40, 2);
  std::vector<float> one(7 * 9), other(7 * 9);
  dense(kernels::Isa::kScalar).rows(a.data(), 7, b.data(), 9, 40, one.data());
  dense(lfm::base::best_isa()).rows(a.data(), 7, b.data(), 9, 40, other.data());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], 1e-5);
}

class DenseOfSize : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, DenseOfSize, testing::Values(1, 24, 150));

TEST_P(DenseOfSize, TheFactorIsThatOfTheInverse) {
  const std::size_t size = GetParam();
  const std::vector<float> x = noise(64 * size, 3);
  const Dense& algebra = dense(lfm::base::best_isa());
  std::vector<float> h(size * size), u(size * size);
  algebra.cross(x.data(), x.data(), 64, size, 0, size, 0, size, h.data());
  ASSERT_TRUE(algebra.factor(h.data(), size, 0.5, u.data()));
  for (std::size_t i = 0; i < size; ++i) h[i * (size + 1)] += 0.5f;
  std::vector<float> inverse(size * size);  // one divided by h
  for (std::size_t i = 0; i < size; ++i) inverse[i * (size + 1)] = 1;
  algebra.divide(inverse.data(), u.data(), size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      if (j < i) {
        EXPECT_EQ(u[i * size + j], 0);
      }
      double sum = 0;  // of (u^T u) h
      for (std::size_t k = 0; k < size; ++k)
        sum += static_cast<double>(inverse[i * size + k]) * static_cast<double>(h[k * size + j]);
      EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-4);
    }
  }
  std::vector<float> negative(4, -1.0f);
  EXPECT_FALSE(algebra.factor(negative.data(), 2, 0.1, u.data()));
}

TEST(Moments, AreTheSameByAnyNumberOfThreads) {
  constexpr std::size_t kWide = 300;
  const std::vector<float> x = noise(50 * kWide, 1), y = noise(50 * kWide, 2);
  const Dense& algebra = dense(lfm::base::best_isa());
  Moments alone(kWide, Moments::Kind::kTwoStreams);
  alone.add(algebra, x.data(), y.data(), 50);
  auto team = lfm::base::Team::create(3);
  ASSERT_TRUE(team.ok());
  Moments together(kWide, Moments::Kind::kTwoStreams);
  together.add(algebra, x.data(), y.data(), 50, *team);
  EXPECT_EQ(together.h, alone.h);
  EXPECT_EQ(together.c, alone.c);
  EXPECT_EQ(alone.h[3 * kWide + 200], alone.h[200 * kWide + 3]);
}

}  // namespace
}  // namespace lfm::quantize
