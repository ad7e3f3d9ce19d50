// Forks: the same conversation twice, and then each its own.
#include <gtest/gtest.h>

#include <stdexcept>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

Session fork_of(const Session& session) {
  auto fork = session.fork();
  if (!fork.ok()) throw std::runtime_error(fork.error().describe());
  return *std::move(fork);
}

void expect_fresh(const TinyEngine& tiny, const Session& session) {
  Session fresh = tiny.session();
  expect_ok(fresh.append(session.tokens()));
  expect_same_bits(fresh.logits(), session.logits());
}

TEST(Fork, HasTheSameTokensAndLogits) {
  const TinyEngine tiny;
  for (const std::size_t count : {1, 2, 31, 32, 63, 64, 65, 130}) {
    SCOPED_TRACE(count);
    Session session = tiny.session();
    expect_ok(session.append(random_tokens(count, 1)));
    const Session fork = fork_of(session);
    EXPECT_EQ(tokens_of(fork), tokens_of(session));
    EXPECT_EQ(fork.context_tokens(), session.context_tokens());
    EXPECT_EQ(fork.stats().prompt_tokens, 0u);
    expect_same_bits(fork.logits(), session.logits());
  }
}

TEST(Fork, OfNothingIsEmpty) {
  const TinyEngine tiny;
  const Session session = tiny.session();
  Session fork = fork_of(session);
  EXPECT_TRUE(fork.tokens().empty());
  EXPECT_TRUE(fork.logits().empty());
  expect_ok(fork.append(random_tokens(5, 2)));
  expect_fresh(tiny, fork);
}

TEST(Fork, GoesItsOwnWay) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(70, 3)));
  Session fork = fork_of(session);
  expect_ok(fork.append(random_tokens(20, 4)));
  expect_ok(session.append(random_tokens(33, 5)));
  expect_fresh(tiny, fork);
  expect_fresh(tiny, session);
  Session again = fork_of(fork);
  fork = std::move(session);
  expect_ok(again.append(random_tokens(3, 6)));
  expect_fresh(tiny, again);
  expect_fresh(tiny, fork);
}

// The states of earlier positions come along: going back costs no more than in the original.
TEST(Fork, EditsAreAsCheapAsInTheOriginal) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(200, 7);
  expect_ok(session.append(ids));
  Session fork = fork_of(session);
  ids[150] = 11;
  const auto in_fork = fork.sync(ids);
  const auto in_original = session.sync(ids);
  ASSERT_TRUE(in_fork.ok() && in_original.ok());
  EXPECT_EQ(in_original->reused, 128u);
  EXPECT_EQ(in_fork->reused, 128u);
  expect_fresh(tiny, fork);
}

TEST(Fork, OutlivesTheOriginalAndItsEngine) {
  std::optional<TinyEngine> tiny(std::in_place);
  const TinyEngine other;  // with the same weights
  std::optional<Session> session(tiny->session());
  expect_ok(session->append(random_tokens(40, 8)));
  Session fork = fork_of(*session);
  session.reset();
  tiny.reset();
  expect_ok(fork.append(random_tokens(10, 9)));
  expect_fresh(other, fork);
}

}  // namespace
}  // namespace lfm::test
