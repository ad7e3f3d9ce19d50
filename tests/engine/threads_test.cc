// Sessions of one engine on several threads at once: each has what it would have alone, and ThreadSanitizer is content.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

// body(0) to body(count - 1), each on a thread of its own.
void on_threads(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

// What a session says after two prompts and an edit of the first.
std::string talk(Session session, std::size_t which) {
  const auto seed = static_cast<std::uint32_t>(which);
  std::vector<TokenId> ids = random_tokens(50, seed);
  if (!session.sync(ids).ok()) return "";
  std::string said = generate(session, greedy(6)).text;
  ids[40] = 9;
  const std::vector<TokenId> more = random_tokens(10, seed + 50);
  ids.insert(ids.end(), more.begin(), more.end());
  if (!session.sync(ids).ok()) return "";
  auto fork = session.fork();
  if (!fork.ok()) return "";
  said += generate(*fork, greedy(6)).text;
  return said + generate(session, greedy(3)).text;
}

TEST(Threads, TwoSessionsOfOneEngine) {
  const TinyEngine tiny({}, {.threads = 2});
  std::string alone[2], together[2];
  for (std::size_t i = 0; i < 2; ++i) alone[i] = talk(tiny.session(), i);
  for (int round = 0; round < 5; ++round) {
    on_threads(2, [&](std::size_t i) { together[i] = talk(tiny.session(), i); });
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(together[i], alone[i]);
  }
  EXPECT_FALSE(alone[0].empty() || alone[1].empty());
}

TEST(Threads, ForksOnThreadsOfTheirOwn) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(80, 1)));
  std::vector<Session> forks;
  for (int i = 0; i < 4; ++i) forks.push_back(*session.fork());
  on_threads(4, [&](std::size_t i) { generate(forks[i], greedy(8)); });
  generate(session, greedy(8));
  for (const Session& fork : forks) {
    EXPECT_EQ(tokens_of(fork), tokens_of(session));
    expect_same_bits(session.logits(), fork.logits());
  }
}

// The first save of a model reads its weights, with the team that others are using.
TEST(Threads, SaveAndLoadAtOnce) {
  const TinyEngine tiny({}, {.threads = 2});
  const TempFolder folder;
  std::atomic<int> right = 0;
  on_threads(3, [&](std::size_t i) {
    Session session = tiny.session();
    const std::string path = folder.path("talk" + std::to_string(i));
    if (!session.append(random_tokens(40, static_cast<std::uint32_t>(i))).ok() || !session.save(path).ok()) return;
    Session loaded = tiny.session();
    if (!loaded.load(path).ok()) return;
    if (generate(loaded, greedy(4)).text == generate(session, greedy(4)).text) ++right;
  });
  EXPECT_EQ(right, 3);
}

// Whenever the cancellations come, the tokens that are there are right and the rest can be had.
TEST(Threads, CancelAtAnyMoment) {
  const TinyEngine tiny({}, {.threads = 2, .chunk_tokens = 16});
  Session session = tiny.session();
  const std::vector<TokenId> ids = random_tokens(120, 3);
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) {
      session.cancel();
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  int cancelled = 0;
  for (int round = 0; round < 60; ++round) {
    expect_ok(session.sync({}));
    const auto synced = session.sync(ids);
    if (!synced.ok()) {
      EXPECT_EQ(synced.error().code, ErrorCode::kCancelled);
      ++cancelled;
      continue;
    }
    const auto finish = session.generate(greedy(20), nullptr);
    if (!finish.ok()) continue;
    if (finish->reason == FinishReason::kCancelled) ++cancelled;
  }
  over = true;
  other.join();
  EXPECT_GT(cancelled, 0);
  (void)session.sync({});
  if (!session.sync(ids).ok()) expect_ok(session.sync(ids));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

// A long chunk ends on its way, and the session is what it was before it, logits included.
TEST(Threads, CancelInTheMiddleOfAChunk) {
  TinyModel model;
  model.kv_heads = {0, 1, 0, 1, 0, 1, 0, 1};
  const TinyEngine tiny(model, {.threads = 2, .chunk_tokens = 1024});
  Session session = tiny.session();
  const std::vector<TokenId> ids = random_tokens(900, 6);
  expect_ok(session.append(std::span(ids).first(37)));
  const std::vector<float> before = logits_of(session);
  int cancelled = 0;
  for (int round = 0; round < 40 && cancelled < 5; ++round) {
    std::atomic<bool> begun = false;
    std::thread other([&] {
      while (!begun) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
      session.cancel();
    });
    begun = true;
    const Status status = session.append(std::span(ids).subspan(37));
    other.join();
    if (!status.ok()) {
      ++cancelled;
      EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
      ASSERT_EQ(session.tokens().size(), 37u);
      expect_same_bits(before, session.logits());
    } else {
      (void)session.append(std::span(ids).first(1));  // takes the cancellation that came too late
      expect_ok(session.sync(std::span(ids).first(37)));
    }
  }
  EXPECT_GT(cancelled, 0);
  expect_ok(session.append(std::span(ids).subspan(37)));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

// The chunk's own snapshots leave room for that of where it began, however few there are.
TEST(Threads, CancelInTheMiddleOfAChunkWithFewSnapshots) {
  TinyModel model;
  model.kv_heads = {0, 1, 0, 1, 0, 1, 0, 1};
  const TinyEngine tiny(model, {.threads = 2, .chunk_tokens = 1024});
  const std::vector<TokenId> ids = random_tokens(900, 6);
  int cancelled = 0;
  for (int round = 0; round < 40 && cancelled < 3; ++round) {
    Session session = *tiny.engine().new_session({.snapshot_bytes = 0});
    expect_ok(session.append(std::span(ids).first(100)));
    const std::vector<float> before = logits_of(session);
    std::atomic<bool> begun = false;
    std::thread other([&] {
      while (!begun) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
      session.cancel();
    });
    begun = true;
    const Status status = session.append(std::span(ids).subspan(100));
    other.join();
    if (status.ok()) continue;
    ++cancelled;
    ASSERT_EQ(session.tokens().size(), 100u);
    expect_same_bits(before, session.logits());
  }
  EXPECT_GT(cancelled, 0);
}

TEST(Threads, EnginesComeAndGo) {
  const std::string model = TinyModel{}.build();
  const TempFile file(model);
  std::atomic<int> right = 0;
  on_threads(4, [&](std::size_t i) {
    for (int round = 0; round < 3; ++round) {
      auto engine = Engine::open(file.path(), {.threads = 1});
      if (!engine.ok()) return;
      std::optional<Session> session(TinyEngine::new_session(*engine));
      *engine = *Engine::open(file.path(), {.threads = 1});
      if (session->append(random_tokens(10, static_cast<std::uint32_t>(i))).ok()) ++right;
    }
  });
  EXPECT_EQ(right, 12);
}

}  // namespace
}  // namespace lfm::test
