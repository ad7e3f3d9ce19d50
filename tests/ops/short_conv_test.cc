// The gated short convolution beside plain loops, for sequences that run in pieces and side by side.
#include "ops/short_conv.h"

#include <gtest/gtest.h>

#include "tests/ops/float_ops.h"

namespace lfm::ops {
namespace {

constexpr std::size_t kHidden = 64;
constexpr float kEps = 1e-5f;

class ShortConvTest : public testing::TestWithParam<std::size_t> {
 protected:
  std::size_t taps() const { return GetParam(); }
  std::size_t state_floats() const { return kHidden * (taps() - 1); }
  float tap(std::size_t channel, std::size_t i) const {
    return taps_[(channel / kernels::kTileRows * taps() + i) * kernels::kTileRows + channel % kernels::kTileRows];
  }

  // x of a sequence after the mixer.
  std::vector<double> expected(std::span<const float> x) const {
    const std::size_t tokens = x.size() / kHidden;
    std::vector<std::vector<double>> gated;  // B * x of each token
    std::vector<double> out(x.begin(), x.end());
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::vector<double> in = in_proj_.times(rms_norm(x.subspan(t * kHidden, kHidden), gamma_, kEps));
      gated.emplace_back(kHidden);
      std::vector<double> y(kHidden);
      for (std::size_t i = 0; i < kHidden; ++i) {
        gated[t][i] = in[i] * in[2 * kHidden + i];
        for (std::size_t l = 0; l < taps(); ++l) {
          if (t + l + 1 >= taps()) y[i] += tap(i, l) * gated[t + l + 1 - taps()][i];
        }
        y[i] *= in[kHidden + i];
      }
      const std::vector<double> mixed = out_proj_.times(y);
      for (std::size_t i = 0; i < kHidden; ++i) out[t * kHidden + i] += mixed[i];
    }
    return out;
  }

  FloatMatrix in_proj_{3 * kHidden, kHidden, 1};
  FloatMatrix out_proj_{kHidden, kHidden, 2};
  std::vector<float> taps_ = random_floats(kHidden * taps(), 0.5f, 3);
  std::vector<float> gamma_ = random_floats(kHidden, 1.0f, 4);
  ShortConv conv_{in_proj_.get(), out_proj_.get(), taps_.data(), taps()};
  OnATeam team_{{.max_tokens = 40,
                 .hidden = kHidden,
                 .widest_input = kHidden,
                 .widest_output = 3 * kHidden + kernels::kTileRows}};
};

TEST_P(ShortConvTest, IsWhatItSays) {
  struct Sequence {
    std::vector<float> x;
    std::vector<double> after;
    std::vector<float> state;
    std::size_t position = 0;
  };
  std::vector<Sequence> sequences;
  for (const std::size_t tokens : {20, 9, 33}) {
    std::vector<float> x = random_floats(tokens * kHidden, 1.0f, static_cast<std::uint32_t>(tokens));
    std::vector<double> after = expected(x);
    sequences.push_back({std::move(x), std::move(after), std::vector<float>(state_floats())});
  }
  // Rows of each of the three in turn: alone, one beside many, one each.
  for (const std::vector<std::size_t>& rows : std::vector<std::vector<std::size_t>>{
           {1, 0, 0}, {1, 8, 17}, {1, 1, 1}, {17, 0, 1}, {0, 0, 14}}) {
    std::vector<ConvRun> runs;
    std::size_t first = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == 0) continue;
      Sequence& sequence = sequences[i];
      std::copy_n(&sequence.x[sequence.position * kHidden], rows[i] * kHidden, &team_.workspace.x[first * kHidden]);
      runs.push_back({{first, rows[i]}, sequence.position, sequence.state.data(), 0, {}});
      first += rows[i];
    }
    team_.run(first, [&](const Context& c) {
      conv_.mix(c, gamma_.data(), kEps, runs);
      conv_.add_out(c);
    });
    first = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t begin = sequences[i].position * kHidden, count = rows[i] * kHidden;
      expect_near(std::span(sequences[i].after).subspan(begin, count),
                  std::span<const float>(team_.workspace.x).subspan(first * kHidden, count));
      sequences[i].position += rows[i];
      first += rows[i];
    }
  }
  for (const Sequence& sequence : sequences) EXPECT_EQ(sequence.position * kHidden, sequence.x.size());
}

// Copies on the way are the states that shorter runs end with.
TEST_P(ShortConvTest, CopiesStatesOnTheWay) {
  constexpr std::size_t kTokens = 12, kBegin = 100, kOffset = 32;
  const std::vector<float> x = random_floats(kTokens * kHidden, 1.0f, 5);
  const auto run_to = [&](std::size_t tokens, std::vector<float>& state, std::span<const StateCopy> copies) {
    std::copy_n(x.begin(), tokens * kHidden, team_.workspace.x.begin());
    const ConvRun run{{0, tokens}, kBegin, state.data(), kOffset, copies};
    team_.run(tokens, [&](const Context& c) { conv_.mix(c, gamma_.data(), kEps, {&run, 1}); });
  };
  std::vector<std::vector<float>> kept(3, std::vector<float>(kOffset + state_floats()));
  const StateCopy copies[] = {{kBegin + 1, kept[0].data()}, {kBegin + 7, kept[1].data()}, {kBegin + 12, kept[2].data()}};
  std::vector<float> state(state_floats());
  run_to(kTokens, state, copies);
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<float> shorter(state_floats());
    run_to(copies[i].position - kBegin, shorter, {});
    EXPECT_EQ(std::vector<float>(kept[i].begin() + kOffset, kept[i].end()), shorter);
  }
  EXPECT_EQ(std::vector<float>(kept[2].begin() + kOffset, kept[2].end()), state);
}

INSTANTIATE_TEST_SUITE_P(Taps, ShortConvTest, testing::Values(2, 3, 4, 8));

}  // namespace
}  // namespace lfm::ops
