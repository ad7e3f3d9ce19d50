// A sequence's state: how it goes on, back, and into another one.
#include "model/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "support/expect.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

class StateTest : public testing::Test {
 protected:
  model::State state() const { return *model::State::create(loaded_->config, 200); }

  static void expect_conv(const model::State& state, float number) {
    for (const float x : state.all_conv()) ASSERT_EQ(x, number);
  }

  Result<Loaded> loaded_ = load(TinyModel{.kv_heads = {0, 1, 0, 2, 0}}.builder());
};

TEST_F(StateTest, BeginsWithZeros) {
  model::State state = this->state();
  EXPECT_EQ(state.position(), 0u);
  EXPECT_EQ(state.all_conv().size(), 3 * loaded_->config.hidden * (loaded_->config.conv_taps - 1));
  EXPECT_EQ(state.all_conv().size() * sizeof(float), loaded_->config.conv_state_bytes());
  expect_conv(state, 0);
}

TEST_F(StateTest, ConvolutionsLieInTheOrderOfTheirLayers) {
  model::State state = this->state();
  const std::size_t floats = state.all_conv().size() / 3;
  for (const auto& [layer, place] : {std::pair<std::size_t, std::size_t>{0, 0}, {2, 1}, {4, 2}}) {
    EXPECT_EQ(state.conv(layer), state.all_conv().data() + place * floats);
  }
}

TEST_F(StateTest, GoesBackToAPositionWithItsConvolutions) {
  model::State state = this->state();
  expect_ok(state.make_room(70));
  state.advance(70);
  std::ranges::fill(state.all_conv(), 2.0f);
  const std::vector<float> earlier(state.all_conv().size(), 1.0f);
  state.rewind(33, earlier);
  EXPECT_EQ(state.position(), 33u);
  expect_conv(state, 1);
  state.rewind(0, {});
  EXPECT_EQ(state.position(), 0u);
  expect_conv(state, 0);
}

TEST_F(StateTest, SharesAndGoesItsOwnWay) {
  model::State one = state();
  expect_ok(one.make_room(70));
  one.advance(70);
  std::ranges::fill(one.all_conv(), 2.0f);
  model::State other = one.fork(70, one.all_conv());
  EXPECT_EQ(other.position(), 70u);
  expect_conv(other, 2);
  EXPECT_EQ(other.kv().page(1), one.kv().page(1));
  expect_ok(other.make_room(1));
  EXPECT_EQ(other.kv().page(0), one.kv().page(0));
  EXPECT_NE(other.kv().page(1), one.kv().page(1));
  std::ranges::fill(other.all_conv(), 3.0f);
  expect_conv(one, 2);
}

}  // namespace
}  // namespace lfm::test
