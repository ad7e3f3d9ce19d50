// cancel() from a signal handler.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

Session* interrupted = nullptr;
volatile sig_atomic_t signals = 0;

extern "C" void cancel_session(int) {
  signals = signals + 1;
  interrupted->cancel();
}

// A handler of SIGALRM that cancels a session, and a timer that raises it once.
class Alarm {
 public:
  Alarm(Session& session, int microseconds) {
    interrupted = &session;
    signals = 0;
    struct sigaction action = {};
    action.sa_handler = cancel_session;
    ::sigaction(SIGALRM, &action, &before_);
    set(microseconds);
  }
  ~Alarm() {
    set(0);
    ::sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  static void set(int microseconds) {
    itimerval timer = {};
    timer.it_value.tv_usec = microseconds;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
  }
  struct sigaction before_ = {};
};

TEST(Signal, EndsAGenerationAtAToken) {
  const TinyEngine tiny({}, {.threads = 2});
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 1)));
  const Alarm alarm(session, 2000);
  const auto finish = session.generate(greedy(1000), [](const Piece&) {
    // Long enough for the signal to come.
    for (int i = 0; signals == 0 && i < 1000; ++i) ::usleep(100);
    return true;
  });
  ASSERT_TRUE(finish.ok()) << finish.error().describe();
  EXPECT_EQ(signals, 1);
  EXPECT_EQ(finish->reason, FinishReason::kCancelled);
  EXPECT_EQ(session.tokens().size(), 5 + finish->tokens);
  EXPECT_LE(finish->tokens, 4u) << "the first piece of text waited for the signal";
  Session fresh = tiny.session();
  expect_ok(fresh.append(session.tokens()));
  expect_same_bits(fresh.logits(), session.logits());
}

TEST(Signal, EndsAPrompt) {
  const TinyEngine tiny({}, {.threads = 1, .chunk_tokens = 1});
  Session session = tiny.session();
  const Alarm alarm(session, 1000);
  const std::vector<TokenId> ids = random_tokens(1000, 2);
  std::size_t rounds = 0;
  Status status;
  while (status.ok() && ++rounds < 10000) {
    expect_ok(session.sync({}));
    status = session.append(ids);
  }
  expect_error(status, ErrorCode::kCancelled, "");
  EXPECT_EQ(signals, 1);
  expect_ok(session.sync(ids));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

}  // namespace
}  // namespace lfm::test
