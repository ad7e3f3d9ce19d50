// The same tokens give the same bits: whatever the threads, the chunks, and what else goes on in the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

// Logits of every token.
std::vector<float> run(const Engine& engine, std::span<const TokenId> ids, const SessionOptions& options = {}) {
  Session session = TinyEngine::new_session(engine, options);
  std::vector<float> all;
  expect_ok(
      session.append(ids, [&](std::span<const float> logits) { all.insert(all.end(), logits.begin(), logits.end()); }));
  const std::vector<float> last = logits_of(session);
  expect_same_bits(std::span(all).last(last.size()), last);
  return all;
}

TinyModel q4_0() {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  model.embedding = format::TensorType::kQ6_K;
  model.hidden = 256;
  model.heads = 8;
  model.kv_heads = {0, 2, 0};
  return model;
}

TinyModel floats() {
  TinyModel model;
  model.matrices = format::TensorType::kF16;
  model.experts = 12;
  model.experts_used = 3;
  return model;
}

// Members of a team meet at every barrier, which takes long on a busy machine, and longer with more of them than cores:
// small chunks get all their tokens on one thread only.
void expect_same_for_all_cuts(const TinyModel& model, DenseBackend dense, const SessionOptions& options = {}) {
  const TinyEngine tiny(model, {.threads = 1, .dense = dense});
  const std::vector<TokenId> ids = random_tokens(140, 1);
  const std::vector<float> expected = run(tiny.engine(), ids, options);
  const auto expect_same = [&](unsigned threads, std::size_t chunk, std::size_t tokens) {
    SCOPED_TRACE(testing::Message() << threads << " threads, chunks of " << chunk);
    const Engine engine = tiny.open({.threads = threads, .dense = dense, .chunk_tokens = chunk});
    expect_same_bits(std::span(expected).first(tokens * 300), run(engine, std::span(ids).first(tokens), options));
  };
  for (const std::size_t chunk : {1, 2, 3, 5, 7, 16, 63, 64, 65, 512}) expect_same(1, chunk, ids.size());
  for (const unsigned threads : {2u, 3u, 4u, 7u, 16u}) {
    expect_same(threads, 1, 2);
    expect_same(threads, 512, threads < 4 ? ids.size() : 13);
  }
}

// Prompts by more threads than tokens, or by fewer; tokens by as many as are tried out.
void expect_same_for_two_teams(DenseBackend dense) {
  const TinyEngine tiny(q4_0(), {.threads = 1, .dense = dense});
  const std::vector<TokenId> ids = random_tokens(120, 2);
  const std::vector<float> expected = run(tiny.engine(), ids, {});
  for (const auto& [few, many] : {std::pair{1u, 3u}, {3u, 1u}, {4u, 2u}}) {
    SCOPED_TRACE(testing::Message() << few << " and " << many << " threads");
    const EngineOptions options{.threads = few, .batch_threads = many, .dense = dense};
    const Engine engine = tiny.open(options);
    EXPECT_EQ(engine.info().threads, few);
    EXPECT_EQ(engine.info().batch_threads, many);
    expect_same_bits(expected, run(engine, ids, {}));
    EngineOptions one_by_one = options;
    one_by_one.chunk_tokens = 1;
    expect_same_bits(std::span(expected).first(30 * 300), run(tiny.open(one_by_one), std::span(ids).first(30), {}));
  }
}

TEST(Determinism, TwoTeams) {
  expect_same_for_two_teams(DenseBackend::kNative);
}

TEST(Determinism, TwoTeamsOfXnnpack) {
  expect_same_for_two_teams(DenseBackend::kXnnpack);
}

TEST(Determinism, Xnnpack) {
  expect_same_for_all_cuts(q4_0(), DenseBackend::kXnnpack);
}

TEST(Determinism, Native) {
  expect_same_for_all_cuts(q4_0(), DenseBackend::kNative);
}

TEST(Determinism, KeysAndValuesOf8Bits) {
  for (const CacheType keys : {CacheType::kF16, CacheType::kQ8_0}) {
    expect_same_for_all_cuts(q4_0(), DenseBackend::kNative, {.cache_keys = keys, .cache_values = CacheType::kQ8_0});
  }
}

// Of other bits than in f16, but near.
TEST(Determinism, KeysAndValuesOf8BitsAreNear) {
  TinyModel model;
  model.moe = false;  // near a tie another expert would be chosen
  model.matrices = format::TensorType::kF16;
  model.kv_heads = {1, 0, 1};
  const TinyEngine tiny(model, {.threads = 1});
  const std::vector<TokenId> ids = random_tokens(600, 12);
  const std::vector<float> exact = run(tiny.engine(), ids), near = run(tiny.engine(), ids, kQ8Cache);
  double square = 0, error = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    square += double{exact[i]} * exact[i];
    error += double{near[i] - exact[i]} * (near[i] - exact[i]);
  }
  EXPECT_GT(error, 0.0);
  EXPECT_LT(std::sqrt(error / square), 0.05);
}

TEST(Determinism, Floats) {
  expect_same_for_all_cuts(floats(), DenseBackend::kXnnpack);
}

// Past 512 positions attention cuts the context into parts.
TEST(Determinism, LongContext) {
  TinyModel model = floats();
  model.kv_heads = {1, 0, 1};
  const TinyEngine tiny(model, {.threads = 1, .chunk_tokens = 512});
  const std::vector<TokenId> ids = random_tokens(600, 2);
  for (const SessionOptions& options : {SessionOptions{}, kQ8Cache}) {
    const std::vector<float> expected = run(tiny.engine(), ids, options);
    expect_same_bits(expected, run(tiny.open({.threads = 3, .chunk_tokens = 100}), ids, options));
    const Engine engine = tiny.open({.threads = 2, .chunk_tokens = 510});
    Session session = TinyEngine::new_session(engine, options);
    expect_ok(session.append(std::span(ids).first(510)));
    for (std::size_t i = 510; i < 516; ++i) {
      expect_ok(session.append(std::span(ids).subspan(i, 1)));
      expect_same_bits(std::span(expected).subspan(i * 300, 300), session.logits());
    }
  }
}

TEST(Determinism, RandomAppends) {
  const TinyEngine tiny(q4_0(), {.threads = 1, .chunk_tokens = 32});
  const std::vector<TokenId> ids = random_tokens(120, 3);
  const std::vector<float> expected = run(tiny.engine(), ids);
  std::mt19937 random(4);
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    Session session = tiny.session();
    std::vector<float> all;
    std::span<const TokenId> rest = ids;
    while (!rest.empty()) {
      const std::size_t count = std::min<std::size_t>(rest.size(), random() % (round % 2 == 0 ? 60 : 9));
      expect_ok(session.append(rest.first(count), [&](std::span<const float> logits) {
        all.insert(all.end(), logits.begin(), logits.end());
      }));
      rest = rest.subspan(count);
    }
    expect_same_bits(expected, all);
  }
}

TEST(Determinism, GenerationIsDecodingOfItsTokens) {
  const TinyEngine tiny(q4_0());
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(10, 5)));
  generate(session, greedy(20));
  ASSERT_EQ(session.tokens().size(), 30u);
  Session again = tiny.session();
  expect_ok(again.append(session.tokens()));
  expect_same_bits(logits_of(again), logits_of(session));
}

TEST(Determinism, InterleavedSessions) {
  const TinyEngine tiny(q4_0());
  const std::vector<TokenId> a = random_tokens(60, 6), b = random_tokens(60, 7);
  Session first = tiny.session(), second = tiny.session();
  for (std::size_t at = 0; at < 60; at += 12) {
    expect_ok(first.append(std::span(a).subspan(at, 12)));
    expect_ok(second.append(std::span(b).subspan(at, 12)));
  }
  const std::vector<float> all = run(tiny.engine(), a), others = run(tiny.engine(), b);
  expect_same_bits(std::span(all).last(first.logits().size()), first.logits());
  expect_same_bits(std::span(others).last(second.logits().size()), second.logits());
}

TEST(Determinism, MovedSession) {
  const TinyEngine tiny;
  const std::vector<TokenId> ids = random_tokens(40, 8);
  const std::vector<float> all = run(tiny.engine(), ids);
  Session session = tiny.session();
  expect_ok(session.append(std::span(ids).first(15)));
  Session moved = std::move(session);
  expect_ok(moved.append(std::span(ids).subspan(15, 5)));
  Session assigned = tiny.session();
  expect_ok(assigned.append(ids));
  assigned = std::move(moved);
  EXPECT_EQ(assigned.tokens().size(), 20u);
  expect_ok(assigned.append(std::span(ids).subspan(20)));
  expect_same_bits(std::span(all).last(assigned.logits().size()), assigned.logits());
}

TEST(Determinism, SessionOutlivesItsEngine) {
  std::optional<TinyEngine> tiny(std::in_place);
  const std::vector<TokenId> ids = random_tokens(20, 9);
  const std::vector<float> all = run(tiny->engine(), ids);
  Session session = tiny->session();
  const Tokenizer tokenizer = tiny->engine().tokenizer();
  tiny.reset();
  expect_ok(session.append(ids));
  expect_same_bits(std::span(all).last(session.logits().size()), session.logits());
  EXPECT_EQ(tokenizer.size(), 300u);
}

// sync() from any tokens to any others gives what a fresh session has.
TEST(Sync, IsAFreshSession) {
  const TinyEngine tiny(q4_0(), {.threads = 1, .chunk_tokens = 24});
  std::mt19937 random(10);
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(50, 11);
  for (std::uint32_t round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    const std::vector<TokenId> before = tokens_of(session);
    switch (random() % 4) {
      case 0:  // goes back
        ids.resize(random() % (ids.size() + 1));
        break;
      case 1:  // an edit in the middle
        if (!ids.empty()) ids[random() % ids.size()] = static_cast<TokenId>(random() % 300);
        break;
      case 2:  // the end again
        break;
      default: {
        const std::vector<TokenId> more = random_tokens(random() % 40, round);
        ids.insert(ids.end(), more.begin(), more.end());
      }
    }
    const auto info = session.sync(ids);
    ASSERT_TRUE(info.ok()) << info.error().describe();
    EXPECT_EQ(tokens_of(session), ids);
    EXPECT_EQ(info->reused + info->evaluated, ids.size());
    const auto common = static_cast<std::size_t>(
        std::mismatch(before.begin(), before.end(), ids.begin(), ids.end()).first - before.begin());
    EXPECT_LE(info->reused, common);
    EXPECT_EQ(session.logits().empty(), ids.empty());
    if (ids.empty()) continue;
    Session fresh = tiny.session();
    expect_ok(fresh.append(ids));
    expect_same_bits(fresh.logits(), session.logits());
    const TokenId next[] = {42};  // and it goes on as one
    expect_ok(fresh.append(next));
    expect_ok(session.append(next));
    ids.push_back(42);
    expect_same_bits(fresh.logits(), session.logits());
  }
}

// Decoding by append() costs no copies of states: 45 tokens go back to the 40 of the call before.
TEST(Sync, SingleTokensKeepNoState) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(40, 12);
  expect_ok(session.append(ids));
  for (const TokenId id : random_tokens(5, 13)) {
    expect_ok(session.append({&id, 1}));
    ids.push_back(id);
  }
  ids.back() ^= 1;
  const auto info = session.sync(ids);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->reused, 40u);
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

TEST(Sync, ReusesWhatIsThere) {
  const TinyEngine tiny;
  Session session = tiny.session();
  const std::vector<TokenId> ids = random_tokens(40, 12);
  auto info = session.sync(ids);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->evaluated, 40u);
  info = session.sync(ids);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->reused, 40u);
  EXPECT_EQ(info->evaluated, 0u);
  std::vector<TokenId> more = ids;
  more.push_back(3);
  info = session.sync(more);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->reused, 40u);
  EXPECT_EQ(info->evaluated, 1u);
}

}  // namespace
}  // namespace lfm::test
