// The choice of experts, whatever the network computed (R11): as many as asked for, each once, all of them there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "ops/experts.h"

namespace lfm::ops {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<std::uint32_t> choose(const std::vector<float>& logits, const std::vector<float>& bias, std::size_t used) {
  // Exactly as long, so that a sanitizer sees a step outside.
  std::vector<Choice> chosen(used);
  choose_experts(logits.data(), bias.data(), logits.size(), chosen);
  std::vector<std::uint32_t> experts;
  for (const Choice& choice : chosen) experts.push_back(choice.expert);
  EXPECT_TRUE(std::is_sorted(experts.begin(), experts.end()));
  EXPECT_EQ(std::adjacent_find(experts.begin(), experts.end()), experts.end()) << "each expert once";
  EXPECT_LT(experts.back(), logits.size());
  return experts;
}

TEST(Router, EqualScoresGoToTheLowestIndex) {
  const std::vector<std::uint32_t> first = {0, 1, 2, 3};
  const std::vector<float> zeros(32, 0.0f);
  for (const float value : {0.0f, -0.0f, 1.0f, -100.0f, kNan, kInfinity, -kInfinity}) {
    const std::vector<float> same(32, value);
    EXPECT_EQ(choose(same, zeros, 4), first) << value;
    EXPECT_EQ(choose(zeros, same, 4), first) << value;
    EXPECT_EQ(choose(same, same, 4), first) << value;
  }
}

TEST(Router, NanIsChosenLast) {
  std::vector<float> logits(32, kNan);
  logits[7] = -50.0f;
  logits[30] = 2.0f;
  EXPECT_EQ(choose(logits, std::vector<float>(32, 0.0f), 2), (std::vector<std::uint32_t>{7, 30}));
  EXPECT_EQ(choose(logits, std::vector<float>(32, 0.0f), 4), (std::vector<std::uint32_t>{0, 1, 7, 30}));
}

TEST(Router, WeightsAreOfTheScoresWithoutBias) {
  std::vector<Choice> chosen(2);
  const float logits[] = {0.0f, 1.0f, 2.0f};
  const float bias[] = {10.0f, 0.0f, 5.0f};
  choose_experts(logits, bias, 3, chosen);
  const float first = 0.5f, second = 1.0f / (1.0f + std::exp(-2.0f));
  EXPECT_EQ(chosen[0].expert, 0u);
  EXPECT_EQ(chosen[1].expert, 2u);
  EXPECT_NEAR(chosen[0].weight, first / (first + second + 1e-6f), 1e-6f);
  EXPECT_NEAR(chosen[1].weight, second / (first + second + 1e-6f), 1e-6f);
}

TEST(Router, NeverLeavesTheTableOfExperts) {
  std::mt19937 random(1);
  const float strange[] = {kNan, kInfinity, -kInfinity, 0.0f, -0.0f, 3e38f, -3e38f, 1e-40f, 88.8f, -88.8f, 1.0f, 1.0f};
  for (int round = 0; round < 20000; ++round) {
    const std::size_t experts = 1 + random() % 64;
    const std::size_t used = 1 + random() % experts;
    std::vector<float> logits(experts), bias(experts);
    for (float& x : logits) x = strange[random() % std::size(strange)];
    for (float& x : bias) x = strange[random() % std::size(strange)];
    ASSERT_EQ(choose(logits, bias, used).size(), used);
    if (HasFailure()) return;
  }
  EXPECT_EQ(choose(std::vector<float>(kMaxExperts, kNan), std::vector<float>(kMaxExperts, kNan), kMaxExperts).size(),
            kMaxExperts);
}

}  // namespace
}  // namespace lfm::ops
