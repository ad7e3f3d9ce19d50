#include "engine/generate/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <sstream>
#include <string>

#include "engine/generate/random.h"
#include "lfm/mask.h"
#include "tests/support/alloc_meter.h"

namespace lfm::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kRoom = 100000;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Sampler make(const SamplingOptions& options, std::size_t vocabulary) {
  auto sampler = Sampler::create(options, vocabulary, kRoom);
  EXPECT_TRUE(sampler.ok()) << sampler.error().describe();
  return *std::move(sampler);
}

std::vector<TokenId> ids_of(Sampler& sampler, const std::vector<float>& logits) {
  const auto candidates = sampler.candidates(logits);
  EXPECT_TRUE(candidates.ok());
  std::vector<TokenId> ids;
  for (const auto& candidate : *candidates) ids.push_back(candidate.id);
  return ids;
}

std::vector<float> random_logits(std::size_t count, unsigned seed, float spread = 3) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

struct ReferenceCase {
  SamplingOptions options;
  std::vector<TokenId> context;
  std::vector<float> logits;
  std::map<TokenId, double> left;
};

std::vector<ReferenceCase> read_reference() {
  std::vector<ReferenceCase> cases;
  std::ifstream file(LFM_ENGINE_DATA "/sampling_cases.txt");
  for (std::string line; std::getline(file, line);) {
    ReferenceCase& added = cases.emplace_back();
    SamplingOptions& o = added.options;
    std::istringstream(line) >> o.temperature >> o.top_k >> o.top_p >> o.min_p >> o.repetition_penalty;
    const auto next_line = [&] {
      std::getline(file, line);
      return std::istringstream(line);
    };
    char colon = 0;
    auto biases = next_line();
    for (SamplingOptions::Bias bias = {}; biases >> bias.id >> colon >> bias.value;) o.logit_bias.push_back(bias);
    auto context = next_line();
    for (TokenId id = 0; context >> id;) added.context.push_back(id);
    auto logits = next_line();
    for (float logit = 0; logits >> logit;) added.logits.push_back(logit);
    auto left = next_line();
    TokenId id = 0;
    for (double probability = 0; left >> id >> colon >> probability;) added.left[id] = probability;
  }
  return cases;
}

// Hugging Face transformers, see make_sampling_cases.py.
TEST(Sampler, LeavesWhatTheReferenceLeaves) {
  const auto cases = read_reference();
  ASSERT_EQ(cases.size(), 80u);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Sampler sampler = make(cases[i].options, cases[i].logits.size());
    sampler.set_context(cases[i].context);
    const auto candidates = sampler.candidates(cases[i].logits);
    ASSERT_TRUE(candidates.ok());
    std::map<TokenId, double> left;
    for (const auto& candidate : *candidates) left[candidate.id] = candidate.probability;
    // Beneath this the reference's float32 says 0.
    constexpr double kVisible = 1e-25;
    for (const auto& [id, probability] : cases[i].left) {
      EXPECT_NEAR(left[id], probability, 2e-5 * probability + kVisible) << "case " << i << ", token " << id;
    }
    for (const auto& [id, probability] : left) {
      EXPECT_TRUE(probability < kVisible || cases[i].left.contains(id)) << "case " << i << ", token " << id;
    }
  }
}

TEST(Sampler, GreedyTakesTheBestAndOfEqualsTheLowestId) {
  Sampler sampler = make({.temperature = 0}, 5);
  EXPECT_EQ(*sampler.sample(std::vector<float>{1, 3, -kInfinity, 3, 2}), 1);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-5, -5, -5, -5, -5}), 0);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-0.0f, 0, 0, 0, 0}), 0);
}

TEST(Sampler, GreedyHeedsPenaltyAndBias) {
  Sampler sampler = make({.temperature = 0, .repetition_penalty = 2.0f, .logit_bias = {{2, -kInfinity}}}, 4);
  const std::vector<float> logits = {1.5f, 2, 9, -1};
  EXPECT_EQ(*sampler.sample(logits), 1);
  sampler.accept(1);
  sampler.accept(1);  // counts once
  EXPECT_EQ(*sampler.sample(logits), 0);
  sampler.set_context({});
  EXPECT_EQ(*sampler.sample(logits), 1);
}

TEST(Sampler, PenaltyPushesNegativeLogitsDown) {
  Sampler sampler = make({.temperature = 0, .repetition_penalty = 2.0f}, 2);
  sampler.accept(0);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-1, -1.5f}), 1);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-1, -2.5f}), 0);
}

// Beside plain counting: any window, tokens that leave it, and a context that is set anew.
TEST(Sampler, PenaltiesCountTheWindow) {
  constexpr TokenId kVocabulary = 12;
  std::mt19937 random(3);
  for (const std::size_t window : {0u, 1u, 2u, 5u, 30u, 1000u}) {
    SamplingOptions options{.temperature = 1, .repetition_penalty = 1.5f, .presence_penalty = 0.25f};
    options.frequency_penalty = 0.5f;
    options.penalty_window = window;
    Sampler sampler = make(options, kVocabulary);
    std::vector<TokenId> context;
    for (int step = 0; step < 200; ++step) {
      if (step % 70 == 69) {
        context.resize(context.size() / 2);
        sampler.set_context(context);
      } else {
        context.push_back(static_cast<TokenId>(random() % static_cast<unsigned>(kVocabulary)));
        sampler.accept(context.back());
      }
      const auto logits = random_logits(kVocabulary, static_cast<unsigned>(step), 1);
      const auto begin =
          context.end() - static_cast<std::ptrdiff_t>(window == 0 ? context.size() : std::min(window, context.size()));
      const auto candidates = sampler.candidates(logits);
      ASSERT_TRUE(candidates.ok());
      ASSERT_EQ(candidates->size(), static_cast<std::size_t>(kVocabulary));
      for (const auto& [id, logit, probability] : *candidates) {
        float expected = logits[static_cast<std::size_t>(id)];
        const auto count = static_cast<float>(std::count(begin, context.end(), id));
        if (count > 0) {
          expected = expected > 0 ? expected / 1.5f : expected * 1.5f;
          expected -= 0.25f + 0.5f * count;
        }
        ASSERT_EQ(logit, expected) << "window " << window << ", step " << step << ", token " << id;
      }
    }
  }
}

TEST(Sampler, AMaskForbids) {
  // Two words and a half of bits.
  const auto logits = random_logits(80, 5);
  Sampler sampler = make({.temperature = 0}, logits.size());
  for (TokenId only = 0; only < 80; ++only) {
    std::vector<std::uint32_t> words(3, 0);
    TokenBits{words}.add(only);
    words[2] |= 0xffff0000u;  // behind the vocabulary
    EXPECT_EQ(*sampler.sample(logits, words), only);
    TokenBits{words}.remove(only);
    const auto none = sampler.sample(logits, words);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().code, ErrorCode::kArgument);
    EXPECT_EQ(none.error().field, "mask");
  }
  std::vector<std::uint32_t> all(3, ~0u);
  const TokenId best = *sampler.sample(logits);
  EXPECT_EQ(*sampler.sample(logits, all), best);
  TokenBits{all}.remove(best);
  EXPECT_NE(*sampler.sample(logits, all), best);
}

TEST(Sampler, TiesAtTheEdgeOfTopKGoToTheLowestIds) {
  Sampler sampler = make({.top_k = 3}, 6);
  EXPECT_EQ(ids_of(sampler, {1, 2, 2, 5, 2, 2}), (std::vector<TokenId>{3, 1, 2}));
}

TEST(Sampler, TopKEqualsSortingWhateverTheOrder) {
  constexpr std::size_t kCount = 5000;
  std::vector<std::vector<float>> orders = {random_logits(kCount, 1), random_logits(kCount, 2)};
  orders.push_back(orders[0]);
  std::sort(orders.back().begin(), orders.back().end());  // ascending: every token gets over the bar
  orders.push_back(orders[0]);
  std::sort(orders.back().rbegin(), orders.back().rend());
  orders.emplace_back(kCount, 1.0f);
  for (float& logit : orders[1]) logit = std::round(logit);  // many ties
  for (const auto& logits : orders) {
    std::vector<TokenId> sorted(kCount);
    for (std::size_t i = 0; i < kCount; ++i) sorted[i] = static_cast<TokenId>(i);
    std::stable_sort(sorted.begin(), sorted.end(), [&](TokenId a, TokenId b) {
      return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    for (const std::int32_t k : {1, 2, 50, 1000, 2468, 4999, 5000, 6000, INT32_MAX}) {
      Sampler sampler = make({.temperature = 10, .top_k = k}, kCount);
      auto expected = sorted;
      expected.resize(std::min(kCount, static_cast<std::size_t>(k)));
      ASSERT_EQ(ids_of(sampler, logits), expected) << k;
    }
  }
}

TEST(Sampler, TopPAloneEqualsTopPOfEverything) {
  // Flat, so that thousands of tokens are needed, and steep.
  for (const float spread : {0.1f, 1.0f, 4.0f}) {
    const auto logits = random_logits(20000, 4, spread);
    for (const float top_p : {0.01f, 0.5f, 0.95f, 0.9999f}) {
      Sampler alone = make({.top_p = top_p}, logits.size());
      Sampler all = make({.top_k = 20000, .top_p = top_p}, logits.size());
      EXPECT_EQ(ids_of(alone, logits), ids_of(all, logits)) << spread << " " << top_p;
    }
  }
}

TEST(Sampler, DrawsByProbability) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), -kInfinity, std::log(0.2f)};
  Sampler sampler = make({.seed = 5}, 4);
  std::vector<int> drawn(4);
  for (int i = 0; i < 100000; ++i) {
    const TokenId id = *sampler.sample(logits);
    EXPECT_EQ(*sampler.sample(logits), id) << "until it is accepted";
    sampler.accept(id);
    ++drawn[static_cast<std::size_t>(id)];
  }
  EXPECT_NEAR(drawn[0], 50000, 800);
  EXPECT_NEAR(drawn[1], 30000, 800);
  EXPECT_EQ(drawn[2], 0);
  EXPECT_NEAR(drawn[3], 20000, 800);
}

// Of all that came before only how much it is.
TEST(Sampler, SeedAndPositionDecide) {
  const auto logits = random_logits(1000, 9, 1);
  const auto draw = [&](std::uint64_t seed, std::size_t from) {
    Sampler sampler = make({.seed = seed}, logits.size());
    sampler.set_context(std::vector<TokenId>(from, 7));
    std::vector<TokenId> ids;
    for (std::size_t at = from; at < 20; ++at) {
      ids.push_back(*sampler.sample(logits));
      sampler.accept(ids.back());
    }
    return ids;
  };
  const std::vector<TokenId> all = draw(1, 0);
  for (std::size_t from = 0; from < 20; ++from) {
    EXPECT_EQ(draw(1, from), std::vector<TokenId>(all.begin() + static_cast<std::ptrdiff_t>(from), all.end()));
  }
  EXPECT_NE(draw(2, 0), all);
  // Of the generator's authors: the first outputs for seed 1234567.
  EXPECT_EQ(random_bits(1234567, 0), 6457827717110365317u);
  EXPECT_EQ(random_bits(1234567, 1), 3203168211198807973u);
  EXPECT_EQ(random_bits(1234567, 2), 9817491932198370423u);
}

TEST(Sampler, TheSameTokensOnEveryPlatform) {
  // Logits from integers, so that they too are the same everywhere. The ids are this implementation's own.
  std::vector<float> logits(4096);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<float>(random_bits(42, i) % 20001) / 1000.0f - 10.0f;
  }
  const auto draw = [&](SamplingOptions options) {
    options.seed = 7;
    Sampler sampler = make(options, logits.size());
    std::vector<TokenId> ids;
    for (int i = 0; i < 6; ++i) {
      ids.push_back(*sampler.sample(logits));
      sampler.accept(ids.back());
    }
    return ids;
  };
  EXPECT_EQ(draw({}), (std::vector<TokenId>{1495, 95, 3665, 2313, 1756, 1015}));
  EXPECT_EQ(draw({.temperature = 0.3f, .min_p = 0.15f, .repetition_penalty = 1.05f}),
            (std::vector<TokenId>{1462, 109, 3626, 2322, 1915, 1006}));
  EXPECT_EQ(draw({.temperature = 0.7f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f}),
            (std::vector<TokenId>{3445, 128, 109, 1147, 1348, 1825}));
}

TEST(Sampler, BadLogits) {
  Sampler sampler = make({}, 4);
  const auto expect_error = [&](const std::vector<float>& logits, ErrorCode code, std::uint64_t index) {
    const auto token = sampler.sample(logits);
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().code, code);
    EXPECT_EQ(token.error().index, index);
  };
  expect_error({1, 2, kNan, 3}, ErrorCode::kNumeric, 2);
  expect_error({1, kInfinity, kNan, 3}, ErrorCode::kNumeric, 1);
  expect_error(std::vector<float>(4, -kInfinity), ErrorCode::kNumeric, Error::kNone);
  expect_error({1, 2, 3}, ErrorCode::kArgument, Error::kNone);
  EXPECT_TRUE(sampler.sample(std::vector<float>{-kInfinity, -kInfinity, 1, -kInfinity}).ok());
  for (const float temperature : {0.0f, 1e-45f, 1e-30f, 1e30f, 3.4e38f}) {
    Sampler extreme = make({.temperature = temperature}, 4);
    EXPECT_TRUE(extreme.sample(std::vector<float>{-3.4e38f, 3.4e38f, 0, -kInfinity}).ok()) << temperature;
  }
  Sampler biased = make({.logit_bias = {{0, 3e38f}}}, 2);
  EXPECT_FALSE(biased.sample(std::vector<float>{3e38f, 0}).ok());
}

TEST(Sampler, WhatIsntSetIsAsRecommended) {
  const SamplingOptions wise{
      .temperature = 0.2f, .top_k = 80, .top_p = 0.9f, .min_p = 0.1f, .repetition_penalty = 1.1f};
  SamplingOptions options = SamplingOptions::recommended();
  options.top_k = 0;
  options.seed = 7;
  options = resolve(options, wise);
  EXPECT_EQ(options.temperature, 0.2f);
  EXPECT_EQ(options.top_k, 0);
  EXPECT_EQ(options.top_p, 0.9f);
  EXPECT_EQ(options.min_p, 0.1f);
  EXPECT_EQ(options.repetition_penalty, 1.1f);
  EXPECT_EQ(options.seed, 7u);
  const SamplingOptions off = resolve({}, wise);
  EXPECT_EQ(off.temperature, 1);
  EXPECT_EQ(off.top_k, 0);
  EXPECT_EQ(off.repetition_penalty, 1);
}

TEST(Sampler, BadOptionsAreNamed) {
  const auto field_of = [](const SamplingOptions& options) {
    const auto sampler = Sampler::create(options, 100, kRoom);
    if (sampler.ok()) return std::string("none");
    EXPECT_EQ(sampler.error().code, ErrorCode::kArgument);
    return sampler.error().field;
  };
  for (const float bad : {-0.1f, kNan, kInfinity}) {
    EXPECT_EQ(field_of({.temperature = bad}), "temperature");
    EXPECT_EQ(field_of({.top_p = bad}), "top_p");
    EXPECT_EQ(field_of({.min_p = bad}), "min_p");
    EXPECT_EQ(field_of({.repetition_penalty = bad}), "repetition_penalty");
  }
  EXPECT_EQ(field_of({.top_k = -1}), "top_k");
  EXPECT_EQ(field_of({.top_p = 0}), "top_p");
  EXPECT_EQ(field_of({.top_p = 1.01f}), "top_p");
  EXPECT_EQ(field_of({.min_p = 1.01f}), "min_p");
  EXPECT_EQ(field_of({.repetition_penalty = 0}), "repetition_penalty");
  EXPECT_EQ(field_of({.presence_penalty = kNan}), "presence_penalty");
  EXPECT_EQ(field_of({.frequency_penalty = -kInfinity}), "frequency_penalty");
  EXPECT_EQ(field_of({.logit_bias = {{100, 1.0f}}}), "logit_bias");
  EXPECT_EQ(field_of({.logit_bias = {{-1, 1.0f}}}), "logit_bias");
  EXPECT_EQ(field_of({.logit_bias = {{1, kNan}}}), "logit_bias");
  EXPECT_EQ(field_of({.logit_bias = {{1, kInfinity}}}), "logit_bias");
  EXPECT_EQ(field_of({.logit_bias = {{1, -kInfinity}}}), "none");
  EXPECT_EQ(field_of({}), "none");
}

TEST(Sampler, NeverAllocatesOnceItIsMade) {
  const auto logits = random_logits(65536, 3);
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 0.3f, .min_p = 0.15f, .repetition_penalty = 1.05f},
        SamplingOptions{.temperature = 0.2f, .top_k = 80, .repetition_penalty = 1.05f}, SamplingOptions{.top_p = 0.9f},
        SamplingOptions{.temperature = 0},
        SamplingOptions{.presence_penalty = 0.5f, .frequency_penalty = 0.1f, .penalty_window = 20}}) {
    Sampler sampler = make(options, logits.size());
    const test::AllocMeter meter;
    for (int i = 0; i < 50; ++i) {
      const auto token = sampler.sample(logits);
      ASSERT_TRUE(token.ok());
      sampler.accept(*token);
    }
    EXPECT_EQ(meter.allocations(), 0u);
  }
}

}  // namespace
}  // namespace lfm::engine
