// Callbacks that throw, and that call the session that called them (R16): the exception is the application's and
// reaches it, the call is an error, and the session goes on as a sound one.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "engine/tiny_engine.h"
#include "lfm/diagnostics.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

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

TEST(Callbacks, SeeLogitsFromATokenOn) {
  const TinyEngine tiny({}, {.threads = 2, .chunk_tokens = 8});
  const std::vector<TokenId> before = random_tokens(5, 1), ids = random_tokens(20, 2);
  const auto seen = [&](std::size_t from) {
    Session session = tiny.session();
    expect_ok(session.append(before));
    std::vector<float> all;
    expect_ok(session.append(
        ids, [&](std::span<const float> logits) { all.insert(all.end(), logits.begin(), logits.end()); }, from));
    expect_sound(tiny, session);
    return all;
  };
  const std::vector<float> all = seen(0);
  const std::size_t vocabulary = all.size() / ids.size();
  for (const std::size_t from : std::initializer_list<std::size_t>{1, 7, 8, 9, 16, 19, 20, 21, SIZE_MAX}) {
    SCOPED_TRACE(from);
    expect_same_bits(std::span(all).subspan(std::min(from, ids.size()) * vocabulary), seen(from));
  }
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

template <typename T>
void expect_busy(const Result<T>& result) {
  expect_error(result, ErrorCode::kState, "session");
}

void expect_refuses(const TempFolder& folder, Session& session) {
  const std::vector<TokenId> tokens = random_tokens(3, 3);
  expect_busy(session.sync(tokens));
  expect_busy(session.append(tokens));
  expect_busy(session.generate(greedy(1), [](const Piece&) { return true; }));
  expect_busy(session.fork());
  expect_busy(session.save(folder.path("saved")));
  expect_busy(session.load(folder.path("saved")));
}

TEST(Callbacks, MayNotCallTheirSession) {
  const TempFolder folder;
  const TinyEngine tiny({}, {.threads = 2, .chunk_tokens = 8});
  Session session = tiny.session(), other = tiny.session();
  int calls = 0;
  const auto each = [&](std::span<const float>) {
    ++calls;
    expect_refuses(folder, session);
    expect_refuses(folder, other);  // which would wait for this callback
  };
  expect_ok(session.append(random_tokens(10, 1), each));
  EXPECT_EQ(calls, 10);
  const auto piece = [&](const Piece&) {
    ++calls;
    expect_refuses(folder, session);
    expect_ok(other.append(random_tokens(3, 4)));
    return true;
  };
  expect_ok(session.generate(greedy(10), piece));
  EXPECT_GT(calls, 10);
  expect_sound(tiny, session);
  expect_sound(tiny, other);
}

TEST(Callbacks, MayNotMeasureWhileTheTeamIsBusy) {
  const TinyEngine tiny({}, {.threads = 2});
  const auto expect_limits = [&] {
    const auto limits = Diagnostics(tiny.engine()).measure_limits();
    expect_ok(limits);
    EXPECT_GT(limits->read_bytes_per_second, 1e6);
    EXPECT_GT(limits->int8_operations_per_second, 1e6);
  };
  Session session = tiny.session();
  int calls = 0;
  const auto each = [&](std::span<const float>) {
    ++calls;
    expect_error(Diagnostics(tiny.engine()).measure_limits(), ErrorCode::kState, "engine");
  };
  expect_ok(session.append(random_tokens(3, 1), each));
  EXPECT_EQ(calls, 3);
  const auto piece = [&](const Piece&) {
    expect_limits();
    return true;
  };
  expect_ok(session.generate(greedy(1), piece));
  expect_limits();
  expect_sound(tiny, session);
}

TEST(Callbacks, MayAskWhereTheTimeWent) {
  const TinyEngine tiny;
  Session session = tiny.session();
  int calls = 0;
  const auto each = [&](std::span<const float>) { calls += Diagnostics(tiny.engine()).phase_times().empty() ? 0 : 1; };
  expect_ok(session.append(random_tokens(3, 1), each));
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace lfm::test
