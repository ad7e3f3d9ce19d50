#include "engine/runtime/team_size.h"

#include <gtest/gtest.h>

#include <map>

namespace lfm::engine {
namespace {

unsigned threads(const TeamSize& size) {
  return size.sizes()[size.now()];
}

// Passes that take so long, by threads; the number that the last one had.
unsigned after(TeamSize& size, std::size_t passes, const std::map<unsigned, double>& seconds) {
  for (std::size_t i = 0; i < passes; ++i) size.learn(seconds.at(threads(size)));
  return threads(size);
}

constexpr std::size_t kTrials = TeamSize::kSizes * TeamSize::kPasses;

TEST(TeamSize, OfFewThreadsIsAllOfThem) {
  for (unsigned most = 1; most < 4; ++most) {
    TeamSize size(most);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(threads(size), most);
      size.learn(i % 2 == 0 ? 1 : 0.1);
    }
  }
}

TEST(TeamSize, IsWhatIsFastest) {
  TeamSize size(8);
  EXPECT_EQ(threads(size), 8u);
  EXPECT_EQ(after(size, kTrials, {{8, 1.2}, {6, 1.0}, {4, 1.1}}), 6u);
  EXPECT_EQ(after(size, 100, {{6, 1.0}}), 6u);
}

TEST(TeamSize, StaysLargeWhereFewerGainNothing) {
  TeamSize size(16);
  EXPECT_EQ(after(size, kTrials, {{16, 1.0}, {12, 0.98}, {8, 1.0}}), 16u);
}

TEST(TeamSize, FollowsWhatChanges) {
  TeamSize size(8);
  EXPECT_EQ(after(size, kTrials, {{8, 1.0}, {6, 1.1}, {4, 1.3}}), 8u);
  EXPECT_EQ(after(size, TeamSize::kBetween + kTrials, {{8, 1.6}, {6, 1.4}, {4, 1.3}}), 4u);
}

TEST(TeamSize, PassesThatAreHeldUpDecideNothing) {
  TeamSize size(8);
  for (std::size_t i = 0; i < kTrials; ++i) size.learn(i % 4 == 0 ? 20 : threads(size) == 8 ? 1.0 : 1.1);
  EXPECT_EQ(threads(size), 8u);
}

}  // namespace
}  // namespace lfm::engine
