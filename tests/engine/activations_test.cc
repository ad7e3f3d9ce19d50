// Networks whose numbers run away (R10): finite weights, and somewhere behind them infinity or NaN. Never a wrong
// answer without a word, never an index made of it, and the session is as new afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/tiny_engine.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

// Multiplies all numbers of a float tensor, up to what float holds.
void enlarge(GgufBuilder::Tensor& tensor, float factor) {
  for (std::size_t at = 0; at < tensor.data.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &tensor.data[at], sizeof value);
    value = std::clamp(value * factor, -3e38f, 3e38f);
    std::memcpy(&tensor.data[at], &value, sizeof value);
  }
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Runs it: finite logits throughout, or kNumeric and nothing left. Gives whether it was the latter.
bool runs_away(const std::string& path, DenseBackend dense) {
  const auto engine = Engine::open(path, {.threads = 2, .dense = dense, .chunk_tokens = 8});
  if (!engine.ok()) {
    ADD_FAILURE() << engine.error().describe();
    return false;
  }
  Session session = TinyEngine::new_session(*engine);
  bool numeric = false;
  const auto check = [&](const Status& status) {
    if (status.ok()) {
      EXPECT_TRUE(all_finite(session.logits()));
      return;
    }
    numeric = true;
    EXPECT_EQ(status.error().code, ErrorCode::kNumeric) << status.error().describe();
    EXPECT_TRUE(session.tokens().empty());
    EXPECT_TRUE(session.logits().empty());
  };
  check(session.append(random_tokens(20, 1)));
  check(session.append(random_tokens(3, 2), [](std::span<const float> logits) { EXPECT_TRUE(all_finite(logits)); }));
  if (!session.tokens().empty()) {
    const auto finish = session.generate(greedy(3), nullptr);
    check(finish.ok() ? Status() : Status(finish.error()));
  }
  return numeric;
}

TEST(Activations, OfEveryTensorThatIsTooLarge) {
  const TinyModel model;
  std::size_t numeric = 0, tried = 0;
  for (const GgufBuilder::Tensor& tensor : model.builder().tensors) {
    for (const float factor : {1e10f, 1e38f}) {
      for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative}) {
        SCOPED_TRACE(tensor.name);
        GgufBuilder file = model.builder();
        enlarge(file.tensor(tensor.name), factor);
        const TempFile path(file.build());
        numeric += runs_away(path.path(), dense) ? 1 : 0;
        ++tried;
      }
    }
  }
  EXPECT_GT(numeric, tried / 4);
}

TEST(Activations, OfAllTensorsAtOnce) {
  for (const bool moe : {false, true}) {
    TinyModel model;
    model.moe = moe;
    GgufBuilder file = model.builder();
    for (GgufBuilder::Tensor& tensor : file.tensors) enlarge(tensor, 1e12f);
    const TempFile path(file.build());
    EXPECT_TRUE(runs_away(path.path(), DenseBackend::kXnnpack));
  }
}

// The norm's reference makes zeros of a row whose squares are beyond float.
TEST(Activations, BeyondWhatCanBeSquared) {
  const TinyModel model;
  GgufBuilder file = model.builder();
  enlarge(file.tensor("token_embd.weight"), 1e25f);
  const TempFile path(file.build());
  for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative})
    EXPECT_TRUE(runs_away(path.path(), dense));
}

// A session that met one is as good as new, and so are the engine's others.
TEST(Activations, NothingIsLeftOfThem) {
  TinyModel model;
  model.tied = false;
  GgufBuilder file = model.builder();
  // The first norm makes much of a channel in which one token alone is something.
  constexpr TokenId kBad = 7;
  constexpr std::size_t kChannel = 5;
  const auto set = [](std::string& data, std::size_t at, float value) { std::memcpy(&data[at * 4], &value, 4); };
  for (std::size_t id = 0; id < model.vocab; ++id) {
    set(file.tensor("token_embd.weight").data, id * model.hidden + kChannel, id == kBad ? 1.0f : 0.0f);
  }
  set(file.tensor("blk.0.attn_norm.weight").data, kChannel, 1e38f);
  const TempFile path(file.build());
  const auto engine = Engine::open(path.path(), {.threads = 1});
  ASSERT_TRUE(engine.ok()) << engine.error().describe();
  Session fresh = TinyEngine::new_session(*engine);
  const std::vector<TokenId> good = {20, 21, 22, 23};
  expect_ok(fresh.append(good));
  Session session = TinyEngine::new_session(*engine);
  const std::vector<TokenId> bad = {20, 21, kBad, 22};
  const Status status = session.append(bad);
  expect_error(status, ErrorCode::kNumeric, "NaN or infinity");
  expect_ok(session.sync(good));
  EXPECT_EQ(logits_of(session), logits_of(fresh));
}

}  // namespace
}  // namespace lfm::test
