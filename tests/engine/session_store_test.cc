// What a store gives is what was put in, of all the one of most use, and what is held alike is held once.
#include "engine/pool/session_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "support/expect.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using engine::SessionStore;
using engine::Timeline;
using Kind = SessionStore::Kind;

constexpr std::size_t kRoom = 600;
constexpr std::uint64_t kEnough = std::uint64_t{1} << 40;

// As if tokens had run through a network: states and pages tell what came before them.
class SessionStoreTest : public testing::Test {
 protected:
  Timeline timeline() const { return *Timeline::create(loaded_->config, kRoom, 1 << 20); }

  static std::uint32_t sum(std::span<const TokenId> tokens) {
    std::uint32_t sum = 1;
    for (const TokenId token : tokens) sum = (sum * 31 + static_cast<std::uint32_t>(token) + 7) % 1000003;
    return sum;
  }

  static void read(Timeline& line, std::span<const TokenId> tokens) {
    line.rewind(line.reusable(tokens));
    const std::size_t begin = line.tokens.size();
    expect_ok(line.state.make_room(tokens.size() - begin));
    for (std::size_t at = begin; at < tokens.size(); ++at) {
      line.tokens.push_back(tokens[at]);
      line.state.advance(1);
      const std::uint32_t now = sum(line.tokens);
      std::memcpy(line.state.kv().page(at / kernels::kKvBlock) + at % kernels::kKvBlock * sizeof now, &now, sizeof now);
      std::ranges::fill(line.state.all_conv(), static_cast<float>(now));
      if ((at + 1) % 32 == 0 || at + 2 >= tokens.size()) line.keep_state();
    }
    line.logits_valid = true;
  }

  static void expect_right(const Timeline& line) {
    const std::span<const TokenId> tokens = line.tokens;
    ASSERT_EQ(line.state.position(), tokens.size());
    for (std::size_t at = 0; at < tokens.size(); at += 1 + at % 7) {
      std::uint32_t there = 0;
      const std::byte* const page = line.state.kv().page(at / kernels::kKvBlock);
      std::memcpy(&there, page + at % kernels::kKvBlock * sizeof there, sizeof there);
      ASSERT_EQ(there, sum(tokens.first(at + 1))) << "at " << at;
    }
    for (std::size_t i = 0; i < line.snapshots.size(); ++i) {
      const auto kept = line.snapshots.at(i);
      ASSERT_LE(kept.position, tokens.size());
      ASSERT_EQ(kept.conv.front(), static_cast<float>(sum(tokens.first(kept.position))));
    }
    if (!tokens.empty()) {
      ASSERT_EQ(line.state.all_conv().front(), static_cast<float>(sum(tokens)));
    }
  }

  Timeline of(std::span<const TokenId> tokens) const {
    Timeline line = timeline();
    read(line, tokens);
    return line;
  }

  Result<Loaded> loaded_ = load(TinyModel{}.builder());
};

std::vector<TokenId> count_up(std::size_t count, TokenId from = 0) {
  std::vector<TokenId> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = from + static_cast<TokenId>(i);
  return out;
}

std::vector<TokenId> joined(std::vector<TokenId> a, const std::vector<TokenId>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(SessionStoreTest, WhatGoesOnTakesThePlaceOfItsBeginning) {
  SessionStore store(kEnough);
  const std::vector<TokenId> ids = count_up(200);
  Timeline line = of(std::span(ids).first(100));
  EXPECT_TRUE(store.keep(line.fork(), Kind::kWhole));
  read(line, ids);
  EXPECT_TRUE(store.keep(line.fork(), Kind::kWhole));
  EXPECT_EQ(store.stats().lines, 1u);
  EXPECT_TRUE(store.keep(line.fork(64), Kind::kWhole));  // nothing new
  EXPECT_EQ(store.stats().lines, 1u);
  EXPECT_EQ(store.find(joined(ids, {1, 2})).tokens, 200u);
  EXPECT_EQ(store.find(std::span(ids).first(150)).tokens, 128u);
  EXPECT_EQ(store.find(count_up(9, 100)).line, nullptr);
}

TEST_F(SessionStoreTest, StemsStay) {
  SessionStore store(kEnough);
  const std::vector<TokenId> system = count_up(70);
  Timeline line = of(system);
  store.keep(line.fork(), Kind::kStem);
  read(line, joined(system, count_up(50, 100)));
  store.keep(line.fork(), Kind::kWhole);
  EXPECT_EQ(store.stats().lines, 2u);
  store.keep(line.fork(64), Kind::kWhole);
  EXPECT_EQ(store.stats().lines, 2u);
  const auto found = store.find(joined(system, count_up(5, 200)));
  EXPECT_EQ(found.tokens, 70u);
  EXPECT_EQ(found.line->tokens, system);
  EXPECT_EQ(store.lines().size(), 1u);  // a file of it would hold nothing of its own
}

TEST_F(SessionStoreTest, WhatIsTheSameIsHeldOnce) {
  SessionStore store(kEnough);
  const std::vector<TokenId> system = count_up(300);
  store.keep(of(joined(system, count_up(20, 400))), Kind::kWhole);
  const std::uint64_t one = store.stats().bytes;
  for (TokenId user = 1; user < 8; ++user) store.keep(of(joined(system, count_up(20, 400 + 20 * user))), Kind::kWhole);
  EXPECT_EQ(store.stats().lines, 8u);
  // A page of their own at the end each, three states and what isn't shared at all.
  EXPECT_LT(store.stats().bytes, 4 * one);
  store.clear();
  EXPECT_EQ(store.stats().bytes, 0u);
}

TEST_F(SessionStoreTest, WhatWasNotUsedForLongestGoesFirst) {
  std::uint64_t each = 0;
  {
    SessionStore store(kEnough);
    store.keep(of(count_up(100)), Kind::kWhole);
    each = store.stats().bytes;
  }
  SessionStore store(3 * each);
  for (TokenId i = 0; i < 3; ++i) EXPECT_TRUE(store.keep(of(count_up(100, 1000 * i)), Kind::kWhole));
  EXPECT_EQ(store.stats().lines, 3u);
  store.find(count_up(120));
  EXPECT_TRUE(store.keep(of(count_up(100, 3000)), Kind::kWhole));
  EXPECT_EQ(store.stats().evicted, 1u);
  EXPECT_EQ(store.find(count_up(120)).tokens, 100u);
  EXPECT_EQ(store.find(count_up(120, 1000)).tokens, 0u);
  EXPECT_FALSE(store.keep_last(of(count_up(100, 4000))));
  EXPECT_FALSE(store.keep(of(count_up(590, 5000)), Kind::kWhole));
  EXPECT_EQ(store.stats().lines, 0u);
  EXPECT_EQ(store.stats().bytes, 0u);
}

// Sessions of a few users that come and go at random beside all that was ever kept.
TEST_F(SessionStoreTest, EveryLineIsWhatWasRead) {
  for (const bool small : {false, true}) {
    SessionStore store(small ? 300000 : kEnough);
    std::mt19937 random(5);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::vector<Timeline> kept;
    std::vector<Timeline> sessions;
    for (int i = 0; i < 3; ++i) sessions.push_back(timeline());
    std::size_t held = 0;
    for (int step = 0; step < 150; ++step) {
      Timeline& session = sessions[below(sessions.size())];
      std::vector<TokenId> want(session.tokens.begin(), session.tokens.end());
      if (below(3) == 0 && !kept.empty()) want = kept[below(kept.size())].tokens;
      want.resize(below(want.size() + 1));
      for (std::size_t more = below(90); more > 0 && want.size() < kRoom; --more) {
        want.push_back(static_cast<TokenId>(below(2)));
      }
      if (want.empty()) continue;
      const auto found = store.find(want);
      std::size_t most = 0;
      for (const Timeline& line : kept) most = std::max(most, line.reusable(want));
      if (!small) {
        ASSERT_GE(found.tokens + 1, most);
      }
      held += found.tokens;
      if (found.line != nullptr) {
        ASSERT_EQ(found.line->reusable(want), found.tokens);
        session = found.line->fork(found.tokens);
        expect_right(session);
      } else {
        session = timeline();
      }
      read(session, want);
      expect_right(session);
      const std::size_t end = below(4) == 0 ? session.snapshots.find(below(want.size() + 1)).position : want.size();
      if (end == 0) continue;
      store.keep(session.fork(end), end == want.size() ? Kind::kWhole : Kind::kStem);
      if (!small) kept.push_back(session.fork(end));
      ASSERT_LE(store.stats().bytes, store.most_bytes());
      std::set<const void*> blocks;
      std::uint64_t bytes = 0;
      for (const auto& line : store.lines()) {
        expect_right(*line);
        for (const auto& block : line->shared_blocks()) bytes += blocks.insert(block.at).second ? block.bytes : 0;
        bytes += line->own_bytes();
      }
      ASSERT_LE(bytes, store.stats().bytes);
    }
    EXPECT_GT(held, 500u);
    EXPECT_EQ(store.stats().evicted > 0, small);
    store.clear();
    EXPECT_EQ(store.stats().bytes, 0u);
    for (const Timeline& session : sessions) expect_right(session);
  }
}

}  // namespace
}  // namespace lfm::test
