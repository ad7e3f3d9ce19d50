// Softmax attention in double precision against every ISA, and what a result may depend on.
#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/table.h"
#include "tests/kernels/attention/kv_cache.h"
#include "tests/support/isa.h"

namespace lfm::kernels {
namespace {

using test::attend;
using test::Edge;
using test::KvCache;
using test::Random;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> random_queries(std::size_t queries, std::size_t head_dim, Random& random) {
  std::vector<float> q(queries * head_dim);
  random.fill(q);
  for (float& x : q) x *= 2.0f / std::sqrt(static_cast<float>(head_dim));
  return q;
}

// softmax(q K^T) V over the first `limit` positions, in one piece.
std::vector<double> oracle(std::span<const float> q, KvCache& cache, std::size_t limit) {
  std::vector<double> s(limit), out(q.size());
  for (std::size_t j = 0; j < limit; ++j) {
    for (std::size_t d = 0; d < q.size(); ++d) s[j] += q[d] * cache.key(j, d);
  }
  const double top = *std::max_element(s.begin(), s.end());
  double sum = 0.0;
  for (std::size_t j = 0; j < limit; ++j) {
    const double p = std::exp(s[j] - top);
    sum += p;
    for (std::size_t d = 0; d < q.size(); ++d) out[d] += p * cache.value(j, d);
  }
  for (double& x : out) x /= sum;
  return out;
}

class AttentionOf : public testing::TestWithParam<std::tuple<IsaInfo, KvFormat>> {
 protected:
  void SetUp() override { LFM_SKIP_WITHOUT(std::get<IsaInfo>(GetParam()).isa); }
  const AttentionKernels& kernels() const { return table(std::get<IsaInfo>(GetParam()).isa).attention; }
  static KvFormat format() { return std::get<KvFormat>(GetParam()); }
};

TEST_P(AttentionOf, IsSoftmaxOfTheWholePrefix) {
  for (const std::uint32_t limit : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 511u, 512u, 513u, 1500u}) {
    for (const std::size_t head_dim : {std::size_t{32}, std::size_t{64}, std::size_t{80}, std::size_t{96}}) {
      if (format() != test::kF16 && head_dim % 32 != 0) continue;
      SCOPED_TRACE(testing::Message() << "limit " << limit << " head_dim " << head_dim);
      Random random(limit);
      KvCache cache(limit, head_dim, Edge::kEnd, format());
      cache.fill(kernels(), limit, random);
      const std::vector<float> q = random_queries(1, head_dim, random);
      const std::vector<float> out = attend(kernels(), q, {&limit, 1}, cache, head_dim);
      const std::vector<double> expected = oracle(q, cache, limit);
      // Of 16 bits are queries in front of keys in q8_0, and weights in front of values.
      const double near = format() == test::kF16 ? 5e-6 : 6e-4;
      for (std::size_t d = 0; d < head_dim; ++d) EXPECT_NEAR(out[d], expected[d], near) << d;
    }
  }
}

TEST_P(AttentionOf, SurvivesLargeScores) {
  constexpr std::size_t kHeadDim = 64;
  const std::uint32_t limit = 200;
  Random random(7);
  KvCache cache(limit, kHeadDim, Edge::kEnd, format());
  cache.fill(kernels(), limit, random);
  std::vector<float> q = random_queries(1, kHeadDim, random);
  for (float& x : q) x *= 1000.0f;
  const std::vector<float> out = attend(kernels(), q, {&limit, 1}, cache, kHeadDim);
  const std::vector<double> expected = oracle(q, cache, limit);
  for (std::size_t d = 0; d < kHeadDim; ++d)
    EXPECT_NEAR(out[d], expected[d], format().keys == KvType::kF16 ? 2e-3 : 0.1) << d;
}

// Queries in a group of any size against each of them alone, in a cache that ends where it may look.
TEST_P(AttentionOf, AQueryDependsOnItsPrefixAlone) {
  constexpr std::size_t kPositions = 600;
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t head_dim = format() == test::kF16 ? 16 * random.between(2, 6) : 32 * random.between(1, 3);
    const std::size_t queries = random.between(2, kMaxQueries);
    KvCache cache(kPositions, head_dim, Edge::kEnd, format());
    cache.fill(kernels(), kPositions, random);
    const std::vector<float> q = random_queries(queries, head_dim, random);
    std::vector<std::uint32_t> limits(queries);
    const std::size_t spread = seed % 2 == 0 ? 4 : kPositions;
    for (std::uint32_t& limit : limits) {
      limit = static_cast<std::uint32_t>(kPositions + 1 - random.between(1, spread));
    }
    const std::vector<float> together = attend(kernels(), q, limits, cache, head_dim);

    // From the longest prefix to the shortest, what lies beyond is spoilt before each is run again.
    std::vector<std::size_t> order(queries);
    for (std::size_t i = 0; i < queries; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return limits[a] > limits[b]; });
    std::size_t sound = kPositions;
    for (const std::size_t i : order) {
      while (sound > limits[i]) {
        cache.spoil(--sound);
      }
      const std::span<const float> row = std::span(q).subspan(i * head_dim, head_dim);
      const std::vector<float> alone = attend(kernels(), row, {&limits[i], 1}, cache, head_dim);
      test::expect_same_bits(std::span(together).subspan(i * head_dim, head_dim), alone);
    }
  }
}

TEST_P(AttentionOf, AQueryThatSeesNothingOfASplitGivesNothing) {
  constexpr std::size_t kHeadDim = 64;
  Random random(9);
  KvCache cache(kSplit + 1, kHeadDim, Edge::kEnd, format());
  cache.fill(kernels(), kSplit + 1, random);
  const std::vector<float> q = random_queries(2, kHeadDim, random);
  const std::uint32_t limits[] = {kSplit, kSplit + 1};
  std::vector<float> m(2, 9.0f), l(2, 9.0f), o(2 * kHeadDim, 9.0f);
  kernels().of(format()).partial(q.data(), kHeadDim, limits, 2, 1, cache.pages(), 0, kSplit, kHeadDim, m.data(),
                                 l.data(), o.data());
  EXPECT_EQ(m[0], -kInfinity);
  EXPECT_EQ(l[0], 0.0f);
  EXPECT_EQ(std::vector<float>(o.begin(), o.begin() + kHeadDim), std::vector<float>(kHeadDim));
  EXPECT_EQ(l[1], 1.0f);
}

TEST_P(AttentionOf, EmptyPartialsMergeToNothing) {
  constexpr std::size_t kHeadDim = 32, kSplits = 4;
  const float m[kSplits] = {-kInfinity, 1.5f, -kInfinity, 2.0f}, l[kSplits] = {0.0f, 3.0f, 0.0f, 5.0f};
  const float m_full[] = {1.5f, 2.0f}, l_full[] = {3.0f, 5.0f};
  Random random(11);
  std::vector<float> o_full(2 * kHeadDim), o(kSplits * kHeadDim), out(kHeadDim), expected(kHeadDim);
  random.fill(o_full);
  std::copy_n(o_full.begin(), kHeadDim, o.begin() + kHeadDim);
  std::copy_n(o_full.begin() + kHeadDim, kHeadDim, o.begin() + 3 * kHeadDim);
  kernels().merge(m, l, 1, o.data(), kHeadDim, kSplits, kHeadDim, out.data());
  kernels().merge(m_full, l_full, 1, o_full.data(), kHeadDim, 2, kHeadDim, expected.data());
  test::expect_same_bits(expected, out);
}

// Scores that underflow to zeros of both signs: whichever comes first, m is +0.
TEST_P(AttentionOf, AZeroMaximumIsPositive) {
  constexpr std::size_t kHeadDim = 32;
  const std::uint32_t limit = 20;
  std::vector<float> q(kHeadDim);
  q[kHeadDim - 1] = std::numeric_limits<float>::min();  // the last: later terms of a chain would make +0 of it
  if (format() != test::kF16) return;
  for (const std::uint32_t odd : {0u, 1u}) {
    KvCache cache(limit, kHeadDim, Edge::kEnd);
    for (std::uint32_t j = 0; j < limit; ++j) {
      for (std::size_t d = 0; d < kHeadDim; ++d) cache.k(j, d) = cache.v(j, d) = 0;
      cache.k(j, kHeadDim - 1) = j % 2 == odd ? 0x8001 : 0x0001;
    }
    float m = 0.0f, l = 0.0f, o[kHeadDim];
    kernels().of(format()).partial(q.data(), kHeadDim, &limit, 1, 1, cache.pages(), 0, 0, kHeadDim, &m, &l, o);
    EXPECT_TRUE(test::same_bits(m, 0.0f)) << m;
    EXPECT_EQ(l, 20.0f);
  }
}

TEST_P(AttentionOf, NanReachesTheResult) {
  constexpr std::size_t kHeadDim = 64;
  const std::uint32_t limit = 700;
  Random random(10);
  for (const std::size_t position : {std::size_t{0}, std::size_t{300}, std::size_t{699}}) {
    KvCache cache(limit, kHeadDim, Edge::kEnd, format());
    cache.fill(kernels(), limit, random);
    const std::vector<float> q = random_queries(1, kHeadDim, random);
    std::vector<float> key(kHeadDim, 0.5f), value(kHeadDim, 0.5f);
    value[5] = kNan;
    cache.append(kernels(), key, value, position);
    std::vector<float> out = attend(kernels(), q, {&limit, 1}, cache, kHeadDim);
    const std::size_t spoilt = format().values == KvType::kF16 ? 1 : kKvScaleColumns;  // channels that share a scale
    for (std::size_t d = 0; d < kHeadDim; ++d) EXPECT_EQ(std::isnan(out[d]), d / spoilt == 5 / spoilt) << d;
    key[0] = kNan;
    cache.append(kernels(), key, value, position);
    out = attend(kernels(), q, {&limit, 1}, cache, kHeadDim);
    for (std::size_t d = 0; d < kHeadDim; ++d) EXPECT_TRUE(std::isnan(out[d])) << d;
  }
}

// What is kept is as near as 8 bits and a scale can be, and a scale that f16 hasn't is NaN.
TEST_P(AttentionOf, KeepsWhatItIsGiven) {
  constexpr std::size_t kHeadDim = 96, kPositions = 70;
  Random random(12);
  KvCache cache(kPositions, kHeadDim, Edge::kEnd, format());
  for (std::size_t position = 0; position < kPositions; ++position) {
    std::vector<float> key(kHeadDim), value(kHeadDim);
    random.fill(key);
    random.fill(value);
    cache.append(kernels(), key, value, position);
    const auto expect_near = [&](KvType type, std::span<const float> given, const auto& kept) {
      for (std::size_t d = 0; d < kHeadDim; ++d) {
        const std::span<const float> block = given.subspan(d / kKvScaleColumns * kKvScaleColumns, kKvScaleColumns);
        float most = 0.0f;
        for (const float x : block) most = std::max(most, std::fabs(x));
        const double near = type == KvType::kF16 ? std::fabs(given[d]) / 2048 : most / 127 * 0.57;  // the scale's too
        EXPECT_NEAR(given[d], kept(position, d), near);
      }
    };
    expect_near(format().keys, key, [&](std::size_t p, std::size_t d) { return cache.key(p, d); });
    expect_near(format().values, value, [&](std::size_t p, std::size_t d) { return cache.value(p, d); });
  }
  const std::vector<float> large(kHeadDim, 65520.0f * 127.0f), most(kHeadDim, 65503.0f * 127.0f);
  cache.append(kernels(), large, most, 3);
  if (format().keys == KvType::kQ8_0) {
    EXPECT_EQ(cache.key_scale(3, 0), 0x7e00);
  }
  if (format().values == KvType::kQ8_0) {
    EXPECT_EQ(cache.value_scale(3, 0), 0x7bff);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionOf,
                         testing::Combine(testing::ValuesIn(kIsas), testing::ValuesIn(test::kKvFormats)),
                         [](const auto& test) {
                           return std::string(std::get<IsaInfo>(test.param).name) + "_" +
                                  test::name_of(std::get<KvFormat>(test.param));
                         });

}  // namespace
}  // namespace lfm::kernels
