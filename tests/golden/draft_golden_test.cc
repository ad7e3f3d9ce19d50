// The draft network beside the reference: what it reads of its target, its hidden states, logits, guesses and
// confidences.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/session/session.h"
#include "support/draft_passes.h"
#include "tests/golden/golden_data.h"

namespace lfm::test {
namespace {

const std::string kData = LFM_GOLDEN_DATA;

// The largest difference, of the largest number's size.
double distance(std::span<const float> expected, std::span<const float> actual) {
  EXPECT_EQ(expected.size(), actual.size());
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    most = std::max(most, std::fabs(static_cast<double>(expected[i]) - static_cast<double>(actual[i])));
    largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
  }
  return most / largest;
}

double divergence(std::span<const float> expected, std::span<const float> actual) {
  const auto log_sum = [](std::span<const float> logits) {
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    return std::log(sum);
  };
  const double a = log_sum(expected), b = log_sum(actual);
  double kl = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double p = static_cast<double>(expected[i]) - a;
    kl += std::exp(p) * (p - (static_cast<double>(actual[i]) - b));
  }
  return kl;
}

TEST(DraftGolden, IsTheReference) {
  const Golden target = read_golden(kData + "/moe-f16.golden");
  const DraftGolden golden = read_draft_golden(kData + "/draft.golden");
  for (const unsigned threads : {1u, 3u}) {
    DraftPasses passes(target.gguf, golden.gguf, threads);
    const std::size_t hidden = passes.config().hidden, width = passes.config().draft.taps.size() * hidden;
    ASSERT_EQ(passes.config().draft.block, golden.block);
    for (const DraftCase& wanted : golden.cases) {
      SCOPED_TRACE(testing::Message() << threads << " threads, behind " << wanted.ids.size());
      model::State state = passes.state(wanted.ids.size() + golden.block);
      std::size_t read = 0, at_once = 1;
      std::span<const float> taps;
      while (read < wanted.ids.size()) {  // in pieces of many sizes
        const std::size_t count = std::min(at_once, wanted.ids.size() - read);
        taps = passes.read(state, std::span(wanted.ids).subspan(read, count));
        read += count;
        at_once = at_once * 3 + 1;
      }
      EXPECT_LT(distance(wanted.taps, taps.last(width)), 2e-3);
      const DraftPasses::Block block = passes.guess(state, wanted.anchor, golden.block);
      EXPECT_LT(distance(wanted.hidden, block.hidden), 5e-3);
      for (std::size_t i = 0; i < golden.block; ++i) {
        EXPECT_LT(divergence(std::span(wanted.base).subspan(i * golden.vocab, golden.vocab),
                             std::span(block.base).subspan(i * golden.vocab, golden.vocab)),
                  1e-5);
        EXPECT_EQ(wanted.tokens[i], block.guessed[i].token);
        EXPECT_NEAR(wanted.confidences[i], block.guessed[i].confidence, 2e-3f);
      }
    }
  }
}

// nano's draft beside nano: how many of its guesses the model takes where it says the likeliest token, as when a block
// is read whole each round. Trained on such texts, it guesses most of them.
TEST(DraftGolden, NanosIsTakenByNano) {
  const std::string nano = LFM_NANO;
  const auto model =
      engine::load_model(nano + "/lfm2-nano-q4_0.gguf", {.threads = 1, .draft = nano + "/lfm2-nano-draft-q4_0.gguf"});
  ASSERT_TRUE(model.ok()) << model.error().describe();
  const engine::Model& m = **model;
  std::size_t rounds = 0, taken = 0;
  for (const char* prompt : {"Once upon a time", "One day, a little girl", "Tom had a big red ball."}) {
    const std::vector<TokenId> ids = *m.tokenizer.encode(prompt, {.bos = true});
    auto session = engine::SessionState::create(*model, {.context_tokens = 600});
    ASSERT_TRUE(session.ok());
    expect_ok((*session)->append(ids, nullptr));
    GenerateOptions options{.max_tokens = 150, .sampling = SamplingOptions{.temperature = 0}};
    ASSERT_TRUE((*session)->generate(options, nullptr).ok());
    const std::vector<TokenId> all((*session)->tokens().begin(), (*session)->tokens().end());

    auto line = engine::Timeline::create(m.config, 600, 0, {}, m.draft_config());
    ASSERT_TRUE(line.ok());
    model::State& state = line->state;
    const auto read = [&](std::size_t count) {
      expect_ok(state.make_room(count));
      const auto now = std::span(all).subspan(state.position(), count);
      EXPECT_EQ(m.runtime->step(m.weights, m.config, state, now, {}), engine::Runtime::Outcome::kDone);
    };
    read(ids.size());
    while (state.position() + 1 + m.draft->network.config.draft.block < all.size()) {
      std::vector<model::Guessed> guessed;
      const std::size_t at = state.position();
      ASSERT_TRUE(m.runtime->guess(state, all[at], 64, guessed).ok());
      std::size_t right = 0;
      while (right < guessed.size() && guessed[right].token == all[at + 1 + right]) ++right;
      ++rounds;
      taken += right;
      read(1 + right);
    }
  }
  ASSERT_GT(rounds, 10u);
  EXPECT_GE(taken, 3 * rounds) << taken << " of " << rounds << " rounds";
  RecordProperty("taken", std::to_string(static_cast<double>(taken) / static_cast<double>(rounds)));
}

}  // namespace
}  // namespace lfm::test
