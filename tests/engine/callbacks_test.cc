// Callbacks that throw (R16): the exception is the application's and reaches it, and the session goes on as a sound
// one.
#include <gtest/gtest.h>

#include <stdexcept>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

// The session's state is that of its tokens: what follows is what follows in a fresh one.
void expect_sound(const TinyEngine& tiny, Session& session) {
  std::vector<TokenId> ids = tokens_of(session);
  ids.push_back(42);
  expect_ok(session.append(std::span(ids).last(1)));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  EXPECT_EQ(tokens_of(session), ids);
  expect_same_bits(logits_of(fresh), logits_of(session));
}

TEST(Callbacks, MayThrow) {
  const TinyEngine tiny({}, {.threads = 1, .chunk_tokens = 8});
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(10, 1)));
  int calls = 0;
  const auto eleventh = [&](std::span<const float>) {
    if (++calls == 11) throw std::runtime_error("enough");
  };
  EXPECT_THROW((void)session.append(random_tokens(20, 2), eleventh).ok(), std::runtime_error);
  expect_sound(tiny, session);
  const auto at_once = [](const Piece&) -> bool { throw std::runtime_error("enough"); };
  EXPECT_THROW((void)session.generate(greedy(10), at_once).ok(), std::runtime_error);
  expect_sound(tiny, session);
}

}  // namespace
}  // namespace lfm::test
