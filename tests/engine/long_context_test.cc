// R13: the longest context that sessions get by default, used up to its last position and not a token further.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/tiny_engine.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr std::size_t kLongest = 32768;

TEST(LongContext, UsedUpToItsLastPosition) {
  TinyModel model;
  model.context_length = 2 * kLongest;
  const TinyEngine tiny(model, {.threads = 2});
  Session session = tiny.session();
  ASSERT_EQ(session.context_tokens(), kLongest);
  const std::vector<TokenId> ids = random_tokens(kLongest + 1, 1);
  expect_error(session.sync(ids), ErrorCode::kLimit, "32769 tokens in a context of 32768");
  expect_ok(session.sync(std::span(ids).first(kLongest - 1)));
  const Finish finish = generate(session, greedy(10)).finish;
  EXPECT_EQ(finish.reason, FinishReason::kContextFull);
  EXPECT_EQ(finish.tokens, 1u);
  EXPECT_EQ(session.tokens().size(), kLongest);
  const std::vector<float> last = logits_of(session);
  EXPECT_TRUE(std::all_of(last.begin(), last.end(), [](float x) { return std::isfinite(x); }));
  expect_error(session.append({ids.data(), 1}), ErrorCode::kLimit, "32769 tokens in a context of 32768");
  EXPECT_EQ(logits_of(session), last);
}

}  // namespace
}  // namespace lfm::test
