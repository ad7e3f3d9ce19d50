// A conversation that is edited, cut, forked, saved and loaded at random for a long time: after each step its logits
// are, bit for bit, those of a fresh session with the same tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

constexpr std::size_t kRoom = 400;
constexpr int kSteps = 200;

class RandomEdits {
 public:
  RandomEdits(const TinyModel& model, const EngineOptions& options, const SessionOptions& session)
      : tiny_(model, options), options_(session), session_(new_session()), random_(17) {}

  void run() {
    for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
      const std::string what = step();
      SCOPED_TRACE(testing::Message() << "step " << i << ": " << what << ", " << ids_.size() << " tokens");
      EXPECT_EQ(tokens_of(session_), ids_);
      if (ids_.empty()) continue;
      Session fresh = TinyEngine::new_session(tiny_.engine(), kRoom);
      expect_ok(fresh.append(ids_));
      expect_same_bits(fresh.logits(), session_.logits());
    }
    for (const int count : counts_) EXPECT_GT(count, 0);
  }

 private:
  Session new_session() const {
    auto session = tiny_.engine().new_session(options_);
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
      default: {
        session_.cancel();
        const std::vector<TokenId> more = random_tokens(std::min<std::size_t>(50, kRoom - ids_.size()), seed());
        const Status status = session_.append(more);
        if (!more.empty()) expect_error(status, ErrorCode::kCancelled, "");
        sync();
        return "cancelled";
      }
    }
  }

  TinyEngine tiny_;
  SessionOptions options_;
  Session session_;
  std::mt19937 random_;
  TempFolder folder_;
  std::vector<TokenId> ids_;
  int counts_[8] = {};
};

TinyModel quantised() {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  model.embedding = format::TensorType::kQ6_K;
  model.hidden = 256;
  model.heads = 8;
  model.kv_heads = {0, 2, 0, 4};
  return model;
}

TEST(RandomEdits, AreFreshRuns) {
  RandomEdits(quantised(), {.threads = 1, .dense = DenseBackend::kXnnpack, .chunk_tokens = 64},
              {.context_tokens = kRoom})
      .run();
}

// With room for a few states only, most edits go back to far before them.
TEST(RandomEdits, WithFewSnapshots) {
  RandomEdits({}, {.threads = 1}, {.context_tokens = kRoom, .snapshot_bytes = 0}).run();
}

TEST(RandomEdits, OnTheNativeBackend) {
  TinyModel model = quantised();
  model.conv_taps = 4;
  RandomEdits(model, {.threads = 1, .dense = DenseBackend::kNative, .chunk_tokens = 512}, {.context_tokens = kRoom})
      .run();
}

// A session cancelled on its way to a shorter version of itself has forgotten the rest of the longer one.
TEST(RandomEdits, CancelledTruncation) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(60, 1);
  expect_ok(session.append(std::span(ids).first(40)));
  expect_ok(session.append(std::span(ids).subspan(40)));
  session.cancel();
  expect_error(session.sync(std::span(ids).first(40)), ErrorCode::kCancelled, "");
  EXPECT_EQ(session.tokens().size(), 39u);
  ids = tokens_of(session);
  const std::vector<TokenId> more = random_tokens(20, 2);
  ids.insert(ids.end(), more.begin(), more.end());
  expect_ok(session.append(more));
  ids[45] = 7;
  expect_ok(session.sync(ids));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), session.logits());
}

TEST(RandomEdits, StatesAreKeptAtMessageEnds) {
  const TinyEngine tiny;
  Session session = tiny.session();
  std::vector<TokenId> ids = random_tokens(100, 5);
  const std::size_t ends[] = {10, 45, 77};
  expect_ok(session.sync(ids, ends));
  for (const std::size_t end : {77, 45, 10}) {
    ids[end] = (ids[end] + 1) % 300;
    const auto info = session.sync(ids, ends);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->reused, end);
    Session fresh = tiny.session();
    expect_ok(fresh.append(ids));
    expect_same_bits(fresh.logits(), session.logits());
  }
  EXPECT_EQ(session.stats().reused_tokens, 77u + 45u + 10u);
  EXPECT_EQ(session.stats().prompt_tokens, 400u - 132u);
}

// Where a stop string may begin the state is kept: what comes instead of it is all that is evaluated.
TEST(RandomEdits, AStopStringIsTakenOff) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 9)));
  GenerateOptions options = greedy(60);
  const Generated all = generate(session, options);
  std::vector<TokenId> ids = tokens_of(session);
  // A stop string that is the whole text of two tokens which occur nowhere before.
  const Tokenizer tokenizer = tiny.engine().tokenizer();
  std::size_t at = 20;
  std::string stop;
  for (; at + 2 <= ids.size(); ++at) {
    stop = *tokenizer.decode(std::span(ids).subspan(at, 2));
    const std::string before = *tokenizer.decode(std::span(ids).subspan(5, at - 5));
    if (stop.size() >= 2 && before.find(stop[0]) == std::string::npos) break;
  }
  ASSERT_LT(at + 2, ids.size()) << "no such tokens in '" << all.text << "'";
  expect_ok(session.sync(std::span(ids).first(5)));
  options.stop = {stop};
  const Generated stopped = generate(session, options);
  EXPECT_EQ(stopped.finish.reason, FinishReason::kStop);
  EXPECT_EQ(session.tokens().size(), at + 2);
  ids.resize(at);
  ids.push_back(3);
  const auto info = session.sync(ids);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->reused, at);
  EXPECT_EQ(info->evaluated, 1u);
}

}  // namespace
}  // namespace lfm::test
