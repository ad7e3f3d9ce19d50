// A timeline goes back to where its state is known, and nowhere else.
#include "engine/session/timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "support/expect.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

class TimelineTest : public testing::Test {
 protected:
  static constexpr std::size_t kRoom = 700;

  engine::Timeline timeline(std::size_t snapshot_bytes = 1 << 20) const {
    return *engine::Timeline::create(loaded_->config, kRoom, snapshot_bytes);
  }

  // As if tokens had run up to `position`: a convolution state of that position, and logits.
  static void go_to(engine::Timeline& timeline, std::size_t position) {
    expect_ok(timeline.state.make_room(position - timeline.state.position()));
    timeline.state.advance(position - timeline.state.position());
    std::ranges::fill(timeline.state.all_conv(), static_cast<float>(position));
    timeline.tokens.resize(position, 7);
    timeline.logits_valid = true;
  }

  static void expect_at(const engine::Timeline& timeline, std::size_t position) {
    EXPECT_EQ(timeline.tokens.size(), position);
    EXPECT_EQ(timeline.state.position(), position);
    for (const float x : timeline.state.all_conv()) ASSERT_EQ(x, static_cast<float>(position));
  }

  Result<Loaded> loaded_ = load(TinyModel{}.builder());
};

TEST_F(TimelineTest, BeginsEmpty) {
  const engine::Timeline empty = timeline();
  expect_at(empty, 0);
  EXPECT_FALSE(empty.logits_valid);
}

TEST_F(TimelineTest, RewindsToTheLatestStateThatIsKnown) {
  engine::Timeline line = timeline();
  for (const std::size_t at : {10, 25, 60}) {
    go_to(line, at);
    line.keep_state();
  }
  go_to(line, 61);
  line.rewind(61);  // whose state nobody kept
  expect_at(line, 60);
  EXPECT_FALSE(line.logits_valid);
  line.rewind(59);
  expect_at(line, 25);
  line.rewind(30);
  expect_at(line, 25);
  line.rewind(24);
  expect_at(line, 10);
  line.rewind(9);
  expect_at(line, 0);
}

TEST_F(TimelineTest, ForgetsWhatLiesBehind) {
  engine::Timeline line = timeline();
  for (const std::size_t at : {10, 25}) {
    go_to(line, at);
    line.keep_state();
  }
  line.rewind(10);
  go_to(line, 30);
  line.rewind(29);
  expect_at(line, 10);
}

TEST_F(TimelineTest, SettlesWhereTheStateIsKnown) {
  engine::Timeline line = timeline();
  go_to(line, 40);
  line.snapshots.add(50, 40);  // begun, never filled
  line.settle();
  expect_at(line, 40);
  EXPECT_TRUE(line.logits_valid);
  EXPECT_EQ(line.snapshots.size(), 0u);
  line.state.advance(3);  // and no tokens with it
  line.settle();
  expect_at(line, 0);
}

TEST_F(TimelineTest, CopiesAreTheSame) {
  engine::Timeline line = timeline();
  for (const std::size_t at : {10, 25, 64, 90}) {
    go_to(line, at);
    line.keep_state();
  }
  std::iota(line.tokens.begin(), line.tokens.end(), 0);
  engine::Timeline copy = line.fork();
  EXPECT_EQ(copy.tokens, line.tokens);
  expect_at(copy, 90);
  copy.rewind(70);
  expect_at(copy, 64);
  copy.rewind(20);
  expect_at(copy, 10);
  expect_at(line, 90);
}

TEST_F(TimelineTest, ForksOfABeginning) {
  engine::Timeline line = timeline();
  for (const std::size_t at : {10, 25, 64, 90}) {
    go_to(line, at);
    line.keep_state();
  }
  std::iota(line.tokens.begin(), line.tokens.end(), 0);
  engine::Timeline fork = line.fork(64);
  expect_at(fork, 64);
  EXPECT_EQ(fork.tokens.back(), 63);
  EXPECT_FALSE(fork.logits_valid);
  EXPECT_EQ(fork.snapshots.size(), 3u);
  fork.rewind(30);
  expect_at(fork, 25);
  expect_at(line.fork(0), 0);
  expect_at(line, 90);
}

TEST_F(TimelineTest, TellsWhatIsOfUse) {
  engine::Timeline line = timeline();
  for (const std::size_t at : {10, 25, 40}) {
    go_to(line, at);
    line.keep_state();
  }
  go_to(line, 45);
  std::vector<TokenId> tokens(60, 7);
  EXPECT_EQ(line.reusable(tokens), 45u);
  EXPECT_EQ(line.reusable(std::span(tokens).first(45)), 45u);
  line.logits_valid = false;
  EXPECT_EQ(line.reusable(tokens), 45u);
  EXPECT_EQ(line.reusable(std::span(tokens).first(45)), 40u);
  EXPECT_EQ(line.reusable(std::span(tokens).first(40)), 25u);  // the last token's logits are wanted
  tokens[30] = 8;
  EXPECT_EQ(line.common(tokens), 30u);
  EXPECT_EQ(line.reusable(tokens), 25u);
  EXPECT_EQ(line.reusable({}), 0u);
}

TEST_F(TimelineTest, AdoptsMemory) {
  engine::Timeline one = timeline(), other = timeline();
  for (engine::Timeline* line : {&one, &other}) {
    for (const std::size_t at : {10, 64, 100}) {
      go_to(*line, at);
      line->keep_state();
    }
  }
  other.adopt(one, 90);
  std::size_t same = 0;
  const auto theirs = one.shared_blocks();
  for (const auto& block : other.shared_blocks()) {
    same += std::ranges::count_if(theirs, [&](const auto& their) { return their.at == block.at; });
  }
  EXPECT_EQ(same, 3u);  // a page, and two states
  other.rewind(70);
  expect_at(other, 64);
  expect_at(one, 100);
}

}  // namespace
}  // namespace lfm::test
