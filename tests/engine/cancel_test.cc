// How soon a call ends that another thread cancels (G23).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
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

// Has another thread cancel a call after a while; gives how long the call went on then.
Clock::duration time_to_end(Clock::duration delay, Session& session, std::span<const TokenId> ids) {
  auto cancelled = Clock::now();
  std::thread other([&] {
    std::this_thread::sleep_for(delay);
    cancelled = Clock::now();
    session.cancel();
  });
  const auto synced = session.sync(ids);
  const auto end = Clock::now();
  other.join();
  if (synced.ok()) return Clock::duration(0);
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
  for (int round = 0; round < kRounds; ++round) {
    Session session = tiny_.session();
    after.push_back(time_to_end(median(whole) / 10, session, chunk_));
  }
  EXPECT_LT(median(after), median(whole) / 2);
}

INSTANTIATE_TEST_SUITE_P(Threads, Cancel, testing::Values(1u, 2u));

}  // namespace
}  // namespace lfm::test
