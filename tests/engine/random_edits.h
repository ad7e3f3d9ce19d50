// A conversation that is edited, cut, forked, saved, loaded and cancelled at random for a long time: after each step its logits
// are, bit for bit, those of a fresh session with the same tokens.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {

class RandomEdits {
 public:
  static constexpr std::size_t kRoom = 400;
  static constexpr int kSteps = 140;

  // In a context of kRoom.
  explicit RandomEdits(const Engine& engine, SessionOptions options = {}) : engine_(engine), options_(options) {
    options_.context_tokens = kRoom;
    session_ = new_session();
  }

  void run() {
    for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
      const std::string what = step();
      SCOPED_TRACE(testing::Message() << "step " << i << ": " << what << ", " << ids_.size() << " tokens");
      EXPECT_EQ(tokens_of(session_), ids_);
      if (ids_.empty()) continue;
      Session fresh = new_session();
      expect_ok(fresh.append(ids_));
      expect_same_bits(fresh.logits(), session_.logits());
    }
    for (const int count : counts_) EXPECT_GT(count, 0);
  }

 private:
  Session new_session() const {
    auto session = engine_.new_session(options_);
    if (!session.ok()) throw std::runtime_error(session.error().describe());
    return *std::move(session);
  }

  std::size_t below(std::size_t n) { return random_() % n; }

  std::uint32_t seed() { return static_cast<std::uint32_t>(random_()); }

  void grow(std::size_t most) {
    const std::size_t room = kRoom - ids_.size();
    const std::vector<TokenId> more = random_tokens(std::min(room, below(most + 1)), seed());
    ids_.insert(ids_.end(), more.begin(), more.end());
  }

  void sync() {
    std::vector<std::size_t> ends;
    for (std::size_t at = 1 + below(60); at < ids_.size(); at += 1 + below(60)) ends.push_back(at);
    const auto info = session_.sync(ids_, ends);
    ASSERT_TRUE(info.ok()) << info.error().describe();
    EXPECT_EQ(info->reused + info->evaluated, ids_.size());
  }

  // Another thread cancels an append() at some moment: what is left is the tokens that were there, maybe chunks of the
  // new ones, and logits that are theirs or none.
  void cancel_on_the_way() {
    const std::size_t before = ids_.size();
    if (before == kRoom) return;
    const std::vector<TokenId> more = random_tokens(std::min(kRoom - before, 1 + below(200)), seed());
    ids_.insert(ids_.end(), more.begin(), more.end());
    const std::chrono::microseconds delay(50 + below(1500));
    std::atomic<bool> begun = false;
    std::thread other([&] {
      while (!begun) std::this_thread::yield();
      std::this_thread::sleep_for(delay);
      session_.cancel();
    });
    begun = true;
    const Status status = session_.append(std::span(ids_).subspan(before));
    other.join();
    if (!status.ok()) {
      expect_error(status, ErrorCode::kCancelled, "");
      const std::vector<TokenId> left = tokens_of(session_);
      ASSERT_GE(left.size(), before);
      ASSERT_TRUE(std::equal(left.begin(), left.end(), ids_.begin()));
      ids_ = left;
      if (!session_.logits().empty()) {
        Session fresh = new_session();
        expect_ok(fresh.append(ids_));
        expect_same_bits(fresh.logits(), session_.logits());
      }
    } else {  // it came too late, and ends the next call
      ids_.back() = (ids_.back() + 1) % 300;
      (void)session_.sync(ids_);
    }
    sync();
  }

  std::string step() {
    const std::size_t kind = below(std::size(counts_));
    ++counts_[kind];
    switch (kind) {
      case 0:
        grow(90);
        sync();
        return "goes on";
      case 1:
        if (!ids_.empty()) ids_[below(ids_.size())] = static_cast<TokenId>(below(300));
        sync();
        return "edit in the middle";
      case 2:
        if (!ids_.empty()) ids_[ids_.size() - 1 - below(std::min<std::size_t>(ids_.size(), 20))] = 5;
        grow(8);
        sync();
        return "edit near the end";
      case 3:
        ids_.resize(below(ids_.size() + 1));
        sync();
        return "truncation";
      case 4: {
        auto fork = session_.fork();
        EXPECT_TRUE(fork.ok());
        if (fork.ok()) std::swap(session_, *fork);
        expect_ok(fork->append(random_tokens(std::min<std::size_t>(9, kRoom - ids_.size()), 3)));
        return "fork, and the other one goes on";
      }
      case 5: {
        expect_ok(session_.save(folder_.path("talk")));
        session_ = new_session();
        expect_ok(session_.append(random_tokens(below(50), 4)));
        expect_ok(session_.load(folder_.path("talk")));
        return "save and load";
      }
      case 6: {
        if (ids_.empty()) return "nothing to go on from";
        generate(session_, greedy(below(40)));
        ids_ = tokens_of(session_);
        return "generation";
      }
      case 7: {
        cancel_on_the_way();
        return "cancelled on the way";
      }
      default: {
        if (ids_.size() == kRoom) return "no room for what would be cancelled";
        session_.cancel();
        const std::vector<TokenId> more = random_tokens(std::min<std::size_t>(50, kRoom - ids_.size()), seed());
        expect_error(session_.append(more), ErrorCode::kCancelled, "");
        sync();
        return "cancelled";
      }
    }
  }

  const Engine& engine_;
  SessionOptions options_;
  Session session_ = TinyEngine::new_session(engine_);
  std::mt19937 random_{17};
  TempFolder folder_;
  std::vector<TokenId> ids_;
  int counts_[9] = {};
};

}  // namespace lfm::test
