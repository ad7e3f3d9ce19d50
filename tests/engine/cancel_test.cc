// Calls that are cancelled: how soon they end, which one it is that ends, and what is told of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

#include "engine/tiny_engine.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 1024;

// Deep, so that a chunk has many layers to stop after.
TinyModel deep() {
  TinyModel model;
  model.kv_heads.assign(16, 0);
  for (std::size_t i = 2; i < 16; i += 4) model.kv_heads[i] = 1;
  model.matrices = format::TensorType::kQ4_0;
  return model;
}

// Has another thread cancel a call after a while; gives how long the call went on then, or nothing where it was done
// before.
std::optional<Clock::duration> time_to_end(Clock::duration delay, Session& session, std::span<const TokenId> ids) {
  auto cancelled = Clock::now();
  std::thread other([&] {
    std::this_thread::sleep_for(delay);
    cancelled = Clock::now();
    session.cancel();
  });
  const auto synced = session.sync(ids);
  const auto end = Clock::now();
  other.join();
  if (synced.ok()) return std::nullopt;
  EXPECT_EQ(synced.error().code, ErrorCode::kCancelled);
  return end - cancelled;
}

class Cancel : public testing::TestWithParam<unsigned> {
 protected:
  TinyEngine tiny_{deep(), {.threads = GetParam(), .chunk_tokens = kChunk}};
  std::vector<TokenId> chunk_ = random_tokens(kChunk, 1);
};

// Sooner than a chunk takes: half of the calls at least, for a machine that does other things too. A chunk takes
// several of the scheduler's slices (some 4 ms), so that waiting for a processor isn't taken for it.
TEST_P(Cancel, SoonerThanAChunk) {
  constexpr int kRounds = 9;
  const auto median = [](std::vector<Clock::duration> times) {
    std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
    return times[kRounds / 2];
  };
  std::vector<Clock::duration> whole, after;
  for (int round = 0; round < kRounds; ++round) {
    Session session = tiny_.session();
    const auto start = Clock::now();
    expect_ok(session.sync(chunk_));
    whole.push_back(Clock::now() - start);
  }
  // Of those that came too late nothing is known; there are few.
  for (int round = 0; round < 3 * kRounds && after.size() < kRounds; ++round) {
    Session session = tiny_.session();
    if (const auto time = time_to_end(median(whole) / 10, session, chunk_)) after.push_back(*time);
  }
  ASSERT_EQ(after.size(), static_cast<std::size_t>(kRounds)) << "cancelled calls aren't";
  EXPECT_LT(median(after), median(whole) / 2);
}

INSTANTIATE_TEST_SUITE_P(Threads, Cancel, testing::Values(1u, 2u));

// ---- a call's own request

class OwnCancel : public testing::Test {
 protected:
  const TinyEngine tiny_{{}, {.threads = 1, .chunk_tokens = 8}};
  const std::vector<TokenId> ids_ = random_tokens(64, 8);
  Session session_ = tiny_.session();
  std::stop_source source_;

  void expect_as_fresh() {
    Session fresh = tiny_.session();
    expect_ok(fresh.append(tokens_of(session_)));
    EXPECT_EQ(logits_of(fresh), logits_of(session_));
  }
};

TEST_F(OwnCancel, EndsItsCallAndNoOther) {
  source_.request_stop();
  expect_error(session_.sync(ids_, {.cancel = source_.get_token()}), ErrorCode::kCancelled, "cancelled");
  EXPECT_TRUE(session_.tokens().empty());
  expect_ok(session_.sync(ids_));
  GenerateOptions options = greedy(10);
  options.cancel = source_.get_token();
  EXPECT_EQ(generate(session_, options).finish.reason, FinishReason::kCancelled);
  options.cancel = {};
  EXPECT_EQ(generate(session_, options).finish.reason, FinishReason::kLength);

  // Too late for its call.
  std::stop_source late;
  options.cancel = late.get_token();
  EXPECT_EQ(generate(session_, options).finish.tokens, 10u);
  late.request_stop();
  options.cancel = std::stop_source().get_token();
  EXPECT_EQ(generate(session_, options).finish.tokens, 10u);
  expect_as_fresh();
}

TEST_F(OwnCancel, OfACallThatFails) {
  expect_ok(session_.sync(ids_));
  source_.request_stop();
  GenerateOptions options = greedy(10);
  options.cancel = source_.get_token();
  options.stop = {""};
  expect_error(session_.generate(options, nullptr), ErrorCode::kArgument, "stop");
  EXPECT_EQ(generate(session_, greedy(10)).finish.tokens, 10u);
}

TEST_F(OwnCancel, FromAnotherThread) {
  expect_ok(session_.sync(ids_));
  GenerateOptions options = greedy(500);
  options.cancel = source_.get_token();
  std::size_t pieces = 0;
  const auto finish = session_.generate(options, [&](const Piece&) {
    if (++pieces == 3) std::thread([&] { source_.request_stop(); }).join();
    return true;
  });
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->reason, FinishReason::kCancelled);
  EXPECT_LE(pieces, 4u) << "the third, and what was held back";
  EXPECT_EQ(session_.tokens().size(), ids_.size() + finish->tokens);
  expect_as_fresh();
}

TEST_F(OwnCancel, ASessionsOwnStaysUntilItIsHeededOrCleared) {
  expect_ok(session_.sync(ids_));
  session_.cancel();
  session_.clear_cancel();
  EXPECT_EQ(generate(session_, greedy(10)).finish.tokens, 10u);
  session_.cancel();
  EXPECT_EQ(generate(session_, greedy(10)).finish.reason, FinishReason::kCancelled);
  EXPECT_EQ(generate(session_, greedy(10)).finish.tokens, 10u);
}

// One shape, wherever it hits.
TEST_F(OwnCancel, OfAnAnswer) {
  const Chat chat = Chat::create(tiny_.engine()).value();
  const std::vector<Message> messages = {{Role::kUser, "Why is it so, and since when, and how long will it go on?"}};
  GenerateOptions options = greedy(10);
  options.cancel = source_.get_token();
  options.prompt_progress = [&](std::uint64_t done, std::uint64_t) {
    if (done == 16) source_.request_stop();
    return true;
  };
  auto answer = chat.answer(session_, messages, options);
  ASSERT_TRUE(answer.ok()) << answer.error().describe();
  EXPECT_EQ(answer->finish.reason, FinishReason::kCancelled);
  EXPECT_EQ(answer->prompt.evaluated, 16u);
  EXPECT_EQ(session_.tokens().size(), 16u);
  EXPECT_TRUE(answer->message.content.empty() && answer->message.tokens.empty());
  EXPECT_EQ(answer->message.role, Role::kAssistant);
  EXPECT_EQ(answer->finish.describe(), "no answer in 0 tokens: it was cancelled");

  answer = chat.answer(session_, messages, greedy(10));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->prompt.reused, 16u);
  EXPECT_EQ(answer->finish.reason, FinishReason::kLength);
  expect_as_fresh();
}

TEST_F(OwnCancel, ProgressOfAPrompt) {
  expect_ok(session_.sync(std::span(ids_).first(10)));
  std::vector<std::uint64_t> seen;
  expect_ok(session_.sync(ids_, {.progress = [&](std::uint64_t done, std::uint64_t all) {
                            EXPECT_EQ(all, 64u);
                            EXPECT_EQ(done, session_.tokens().size());
                            seen.push_back(done);
                            return true;
                          }}));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{18, 26, 34, 42, 50, 58, 64}));
  expect_ok(session_.sync({}));
  const auto until_20 = [&](std::uint64_t done, std::uint64_t) { return done < 20; };
  expect_error(session_.sync(ids_, {.progress = until_20}), ErrorCode::kCancelled, "cancelled");
  EXPECT_EQ(session_.tokens().size(), 24u);
  expect_ok(session_.sync(ids_));
  expect_as_fresh();
}

}  // namespace
}  // namespace lfm::test
