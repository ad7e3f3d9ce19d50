// What sync() keeps and evaluates, and that it gives what a fresh session gives.
#include "engine/random_edits.h"

#include <gtest/gtest.h>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

TinyModel quantised() {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  model.embedding = format::TensorType::kQ6_K;
  model.hidden = 256;
  model.heads = 8;
  model.kv_heads = {0, 2, 0, 4};
  return model;
}

TEST(RandomEdits, AreFreshRuns) {
  const TinyEngine tiny(quantised(), {.threads = 1, .dense = DenseBackend::kXnnpack, .chunk_tokens = 64});
  RandomEdits(tiny.engine()).run();
}

// With room for a few states only, most edits go back to far before them.
TEST(RandomEdits, WithFewSnapshots) {
  const TinyEngine tiny;
  RandomEdits(tiny.engine(), {.snapshot_bytes = 0}).run();
}

TEST(RandomEdits, OnTheNativeBackend) {
  TinyModel model = quantised();
  model.conv_taps = 4;
  const TinyEngine tiny(model, {.threads = 1, .dense = DenseBackend::kNative, .chunk_tokens = 512});
  RandomEdits(tiny.engine()).run();
}

TEST(RandomEdits, WithKeysAndValuesOf8Bits) {
  const TinyEngine tiny(quantised(), {.threads = 1, .chunk_tokens = 64});
  RandomEdits(tiny.engine(), kQ8Cache).run();
  RandomEdits(tiny.engine(), {.cache_values = CacheType::kQ8_0}).run();
}

// A session cancelled on its way to a shorter version of itself has forgotten the rest of the longer one.
TEST(RandomEdits, CancelledTruncation) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(60, 1);
  expect_ok(session.append(std::span(ids).first(40)));
  expect_ok(session.append(std::span(ids).subspan(40)));
  session.cancel();
  expect_error(session.sync(std::span(ids).first(40)), ErrorCode::kCancelled, "");
  EXPECT_EQ(session.tokens().size(), 39u);
  ids = tokens_of(session);
  const std::vector<TokenId> more = random_tokens(20, 2);
  ids.insert(ids.end(), more.begin(), more.end());
  expect_ok(session.append(more));
  ids[45] = 7;
  expect_ok(session.sync(ids));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

TEST(RandomEdits, StatesAreKeptAtMessageEnds) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(100, 5);
  const std::size_t ends[] = {10, 45, 77};
  expect_ok(session.sync(ids, ends));
  for (const std::size_t end : {77, 45, 10}) {
    ids[end] = (ids[end] + 1) % 300;
    const auto info = session.sync(ids, ends);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->reused, end);
    Session fresh = tiny.session();
    expect_ok(fresh.append(ids));
    expect_same_bits(fresh.logits(), session.logits());
  }
  EXPECT_EQ(session.stats().reused_tokens, 77u + 45u + 10u);
  EXPECT_EQ(session.stats().prompt_tokens, 400u - 132u);
}

// Where a stop string may begin the state is kept: what comes instead of it is all that is evaluated.
TEST(RandomEdits, AStopStringIsTakenOff) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 9)));
  GenerateOptions options = greedy(60);
  const Generated all = generate(session, options);
  std::vector<TokenId> ids = tokens_of(session);
  // A stop string that is the whole text of two tokens which occur nowhere before.
  const Tokenizer tokenizer = tiny.engine().tokenizer();
  std::size_t at = 20;
  std::string stop;
  for (; at + 2 <= ids.size(); ++at) {
    stop = *tokenizer.decode(std::span(ids).subspan(at, 2));
    const std::string before = *tokenizer.decode(std::span(ids).subspan(5, at - 5));
    if (stop.size() >= 2 && before.find(stop[0]) == std::string::npos) break;
  }
  ASSERT_LT(at + 2, ids.size()) << "no such tokens in '" << all.text << "'";
  expect_ok(session.sync(std::span(ids).first(5)));
  options.stop = {stop};
  const Generated stopped = generate(session, options);
  EXPECT_EQ(stopped.finish.reason, FinishReason::kStop);
  EXPECT_EQ(session.tokens().size(), at + 2);
  ids.resize(at);
  ids.push_back(3);
  const auto info = session.sync(ids);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->reused, at);
  EXPECT_EQ(info->evaluated, 1u);
}

}  // namespace
}  // namespace lfm::test
