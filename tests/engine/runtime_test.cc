// Sessions share passes: who waits at the same time runs together, in turn, and isn't disturbed by the others.
#include "engine/runtime/runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "engine/load/load.h"
#include "engine/model.h"
#include "engine/session/session.h"
#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

using engine::Runtime;
using engine::SessionState;

class RuntimeTest : public testing::Test {
 protected:
  explicit RuntimeTest(unsigned threads = 2) {
    TinyModel model;
    model.context_length = 8192;
    file_.emplace(model.build());
    model_ = *engine::load_model(file_->path(), {.threads = threads, .chunk_tokens = 512});
  }

  Runtime& runtime() { return *model_->runtime; }
  std::unique_ptr<SessionState> session() { return *SessionState::create(model_, {}); }

  void await_waiting(std::size_t count) {
    while (runtime().traffic().waiting < count) std::this_thread::yield();
  }

  // Has the team for itself until it goes.
  class Hold {
   public:
    explicit Hold(RuntimeTest& test)
        : thread_([this, &test] {
            test.runtime().run([this](base::Worker&) {
              while (!over_) std::this_thread::yield();
            });
          }) {
      test.await_waiting(1);
    }
    ~Hold() { release(); }
    void release() {
      over_ = true;
      if (thread_.joinable()) thread_.join();
    }

   private:
    std::atomic<bool> over_ = false;
    std::thread thread_;
  };

  void expect_fresh(const SessionState& session) {
    const auto fresh = this->session();
    expect_ok(fresh->append(session.tokens(), nullptr));
    expect_same_bits(fresh->logits(), session.logits());
  }

  std::optional<TempFile> file_;
  std::shared_ptr<const engine::Model> model_;
};

TEST_F(RuntimeTest, WhoWaitsAtTheSameTimeSharesAPass) {
  constexpr std::size_t kSessions = 6;
  std::vector<std::unique_ptr<SessionState>> sessions;
  for (std::size_t i = 0; i < kSessions; ++i) {
    sessions.push_back(session());
    expect_ok(sessions[i]->append(random_tokens(10 + i, static_cast<std::uint32_t>(i)), nullptr));
  }
  const auto before = runtime().traffic();
  Hold hold(*this);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kSessions; ++i) {
    threads.emplace_back([&, i] { expect_ok(sessions[i]->append(random_tokens(1 + i % 3, 9), nullptr)); });
  }
  await_waiting(1 + kSessions);
  hold.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runtime().traffic().passes, before.passes + 1);
  EXPECT_EQ(runtime().traffic().runs, before.runs + kSessions);
  for (const auto& session : sessions) expect_fresh(*session);
}

// A token that comes while a long prompt is read doesn't wait for its end.
TEST_F(RuntimeTest, ATokenGoesBeforeTheRestOfAPrompt) {
  const auto reader = session(), writer = session();
  expect_ok(writer->append(random_tokens(5, 1), nullptr));
  Hold hold(*this);
  std::atomic<bool> read = false;
  std::thread reading([&] {
    expect_ok(reader->append(random_tokens(6000, 2), nullptr));
    read = true;
  });
  await_waiting(2);
  std::thread writing([&] {
    expect_ok(writer->append(random_tokens(1, 3), nullptr));
    EXPECT_FALSE(read);
  });
  await_waiting(3);
  hold.release();
  writing.join();
  reading.join();
  expect_fresh(*writer);
  EXPECT_EQ(reader->tokens().size(), 6000u);
}

TEST_F(RuntimeTest, PromptsTakeTurns) {
  const auto first = session(), second = session();
  Hold hold(*this);
  std::atomic<bool> long_one_is_read = false;
  std::thread reading([&] {
    expect_ok(first->append(random_tokens(6000, 2), nullptr));
    long_one_is_read = true;
  });
  await_waiting(2);
  std::thread other([&] {
    expect_ok(second->append(random_tokens(300, 3), nullptr));
    EXPECT_FALSE(long_one_is_read);
  });
  await_waiting(3);
  hold.release();
  other.join();
  reading.join();
  expect_fresh(*second);
}

// While others have the team for themselves, whatever they do with it.
TEST_F(RuntimeTest, WhoWaitsCanBeCancelled) {
  for (const std::size_t tokens : {1, 40, 1000}) {
    const auto session = this->session();
    expect_ok(session->append(random_tokens(20, 1), nullptr));
    const std::vector<float> logits(session->logits().begin(), session->logits().end());
    Hold hold(*this);
    std::thread waiting(
        [&] { expect_error(session->append(random_tokens(tokens, 2), nullptr), ErrorCode::kCancelled, ""); });
    await_waiting(2);
    session->cancel();
    waiting.join();  // and nobody has released anything
    hold.release();
    EXPECT_EQ(session->tokens().size(), 20u);
    expect_same_bits(logits, session->logits());
    expect_ok(session->append(random_tokens(3, 3), nullptr));
    expect_fresh(*session);
  }
}

TEST_F(RuntimeTest, ACallbackThatThrowsHarmsNobodyElse) {
  const auto thrower = session(), other = session();
  Hold hold(*this);
  std::thread throwing([&] {
    const Session::LogitsCallback each = [](std::span<const float>) { throw std::runtime_error("enough"); };
    EXPECT_THROW((void)thrower->append(random_tokens(50, 1), each).ok(), std::runtime_error);
  });
  await_waiting(2);
  std::thread going_on([&] { expect_ok(other->append(random_tokens(50, 2), nullptr)); });
  await_waiting(3);
  hold.release();
  throwing.join();
  going_on.join();
  EXPECT_TRUE(thrower->tokens().empty());
  expect_fresh(*other);
}

// Prompts, tokens, cancellations and callbacks of many sessions in any order of arrival.
TEST_F(RuntimeTest, AnyCompany) {
  constexpr std::size_t kSessions = 8;
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<SessionState>> sessions;
  for (std::size_t i = 0; i < kSessions; ++i) sessions.push_back(session());
  for (std::size_t i = 0; i < kSessions; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(static_cast<std::uint32_t>(i));
      const auto below = [&](std::size_t n) { return random() % n; };
      SessionState& session = *sessions[i];
      for (int step = 0; step < 60; ++step) {
        const std::size_t before = session.tokens().size();
        const auto seed = static_cast<std::uint32_t>(random());
        const std::vector<TokenId> more = random_tokens(below(3) == 0 ? 1 + below(120) : 1, seed);
        std::size_t calls = 0;
        const Session::LogitsCallback each = [&](std::span<const float>) { ++calls; };
        const bool looks_on = below(8) == 0;
        if (below(6) == 0) session.cancel();
        const Status status = session.append(more, looks_on ? each : nullptr);
        EXPECT_EQ(session.tokens().size(), before + (status.ok() ? more.size() : 0));
        if (!status.ok()) expect_error(status, ErrorCode::kCancelled, "");
        EXPECT_EQ(calls, status.ok() && looks_on ? more.size() : 0);
        if (below(20) == 0) expect_ok(session.sync(session.tokens().first(below(before + 1)), {}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& session : sessions) {
    if (session->logits().empty()) continue;
    expect_fresh(*session);
  }
}

}  // namespace
}  // namespace lfm::test
