// Drafts change nothing but the speed: sessions that draft beside sessions that don't, with everything that may be
// between a network's logits and a text, edited, forked, saved and side by side.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/tiny_engine.h"
#include "lfm/constraint.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"
#include "support/tiny_draft.h"

namespace lfm::test {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kPairs = 10;  // of the long tests, which on one thread have little for it to see
#else
constexpr int kPairs = 50;
#endif
constexpr std::size_t kRoom = 300;
constexpr TokenId kFirstByte = 14, kThink = 3, kEndThink = 4;

// All that an application sees of a generation.
struct Seen {
  std::vector<std::string> pieces;
  std::vector<PieceKind> kinds;
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;
  std::vector<float> mask_logits;  // one of each position that the mask was asked for
  Finish finish;
  std::string error;
};

Seen see(Session& session, GenerateOptions options, bool masked, std::size_t most_pieces) {
  Seen seen;
  if (masked) {
    options.mask = [&](const MaskQuery& query) -> Status {
      seen.mask_logits.push_back(query.logits[query.tokens.size() % query.logits.size()]);
      query.allowed.remove(static_cast<TokenId>(query.tokens.size() * 7 % 300));
      return {};
    };
  }
  auto finish = session.generate(options, [&](const Piece& piece) {
    seen.pieces.emplace_back(piece.text);
    seen.kinds.push_back(piece.kind);
    seen.tokens.insert(seen.tokens.end(), piece.tokens.begin(), piece.tokens.end());
    seen.logprobs.insert(seen.logprobs.end(), piece.logprobs.begin(), piece.logprobs.end());
    for (const TokenLogprob& top : piece.top_logprobs) seen.logprobs.push_back(top.logprob);
    return seen.pieces.size() < most_pieces;
  });
  if (finish.ok()) {
    seen.finish = *finish;
  } else {
    seen.error = finish.error().describe();
  }
  return seen;
}

void expect_same(const Seen& plain, const Seen& drafted) {
  EXPECT_EQ(plain.error, drafted.error);
  EXPECT_EQ(plain.pieces, drafted.pieces);
  EXPECT_EQ(plain.kinds, drafted.kinds);
  EXPECT_EQ(plain.tokens, drafted.tokens);
  expect_same_bits(plain.logprobs, drafted.logprobs);
  expect_same_bits(plain.mask_logits, drafted.mask_logits);
  const Finish &a = plain.finish, &b = drafted.finish;
  EXPECT_EQ(a.describe(), b.describe());
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.reasoning_tokens, b.reasoning_tokens);
  EXPECT_EQ(a.text_bytes, b.text_bytes);
  EXPECT_EQ(a.tool_calls, b.tool_calls);
  EXPECT_EQ(a.malformed_calls, b.malformed_calls);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.drafted, 0u);
  EXPECT_LE(b.accepted, b.drafted);
  EXPECT_LE(b.passes + b.accepted, std::max(b.tokens, b.passes));
}

// What a setting is drawn from.
class Settings {
 public:
  explicit Settings(std::uint32_t seed) : random_(seed) {
    constraints_.push_back(*Constraint::from_regex("(ab|ba|abcabc){1,40}"));
    constraints_.push_back(*Constraint::from_json_schema(
        R"({"type": "array", "items": {"type": "object", "properties": {"name": {"enum": ["ab", "abc"]},
            "age": {"type": "integer", "minimum": 0, "maximum": 30}}, "required": ["name", "age"], "additionalProperties": false}})"));
    constraints_.push_back(*Constraint::from_json_schema(R"({"type": "string", "maxLength": 40})"));
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::uint32_t seed() { return static_cast<std::uint32_t>(random_()); }

  // Tokens with a good deal of repetition.
  std::vector<TokenId> tokens(std::size_t count) {
    std::vector<TokenId> ids = random_tokens(1 + below(20), seed());
    while (ids.size() < count) {
      if (one_in(3)) {
        ids.push_back(static_cast<TokenId>(below(300)));
      } else {
        std::size_t from = below(ids.size());
        for (std::size_t n = 1 + below(20); n > 0; --n) ids.push_back(ids[from++]);
      }
    }
    ids.resize(count);
    return ids;
  }

  GenerateOptions options() {
    GenerateOptions options{.max_tokens = one_in(8) ? below(4) : 1 + below(90), .ignore_end = one_in(2)};
    options.sampling = SamplingOptions{};
    SamplingOptions& sampling = options.sampling;
    sampling.temperature = one_in(3) ? 0 : 0.3f * static_cast<float>(1 + below(5));
    sampling.seed = random_();
    if (one_in(3)) sampling.top_k = static_cast<int>(1 + below(20));
    if (one_in(3)) sampling.top_p = 0.2f + 0.1f * static_cast<float>(below(8));
    if (one_in(4)) sampling.min_p = 0.05f;
    if (one_in(4)) sampling.repetition_penalty = 1.1f;
    if (one_in(4)) sampling.frequency_penalty = 0.1f;
    if (one_in(4)) sampling.presence_penalty = -0.2f;
    if (one_in(2)) sampling.penalty_window = 1 + below(40);
    // A few letters are most of what comes, so that guesses are often right, and often not.
    if (!one_in(4)) {
      const std::size_t letters = 1 + below(5);
      for (std::size_t i = 0; i < letters; ++i)
        sampling.logit_bias.push_back({static_cast<TokenId>(kFirstByte + 'a' + static_cast<int>(i)), 12.0f});
    }
    if (one_in(3)) options.stop = {"abab", "cc"};
    if (one_in(8)) options.stop.push_back("a");
    if (one_in(3)) options.logprobs = below(4);
    options.structured = one_in(3);
    if (options.structured && one_in(2)) options.thinking_budget = below(20);
    if (options.structured && one_in(2)) {
      sampling.logit_bias.push_back({kThink, 10.0f});
      sampling.logit_bias.push_back({kEndThink, 6.0f});
    }
    if (one_in(4)) {
      options.constraint = constraints_[below(constraints_.size())];
      options.ignore_end = false;
    }
    return options;
  }

 private:
  std::mt19937 random_;
  std::vector<Constraint> constraints_;
};

struct Totals {
  std::size_t settings = 0, drafted = 0, accepted = 0, passes = 0, tokens = 0;
};

// Two sessions in step, one of which drafts.
class Pair {
 public:
  Pair(const Engine& engine, std::uint32_t seed)
      : engine_(engine),
        session_(seed % 3 == 0 ? kQ8Cache : SessionOptions{}),
        settings_(seed),
        plain_(new_session()),
        drafts_(new_session()) {}

  void step() {
    edit();
    if (ids_.empty()) return;
    const GenerateOptions options = settings_.options();
    const bool masked = settings_.one_in(4);
    const std::size_t most_pieces = settings_.one_in(6) ? 1 + settings_.below(30) : ~std::size_t{0};
    const Seen plain = see(plain_, options, masked, most_pieces);
    GenerateOptions with = options;
    if (!settings_.one_in(10)) {
      const bool network = !engine_.info().draft.empty() && !settings_.one_in(5);
      with.draft = network ? Draft::kModel : Draft::kLookup;
    }
    const Seen drafted = see(drafts_, with, masked, most_pieces);
    expect_same(plain, drafted);
    EXPECT_EQ(tokens_of(plain_), tokens_of(drafts_));
    expect_same_bits(plain_.logits(), drafts_.logits());
    ids_ = tokens_of(plain_);
    ++totals.settings;
    totals.drafted += drafted.finish.drafted;
    totals.accepted += drafted.finish.accepted;
    totals.passes += drafted.finish.passes;
    totals.tokens += drafted.finish.tokens;
  }

  Totals totals;

 private:
  Session new_session() const {
    SessionOptions options = session_;
    options.context_tokens = kRoom;
    auto session = engine_.new_session(options);
    EXPECT_TRUE(session.ok());
    return *std::move(session);
  }

  void sync() {
    const auto a = plain_.sync(ids_), b = drafts_.sync(ids_);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(a->reused, b->reused);  // the states of the same positions are kept
    EXPECT_EQ(a->evaluated, b->evaluated);
    expect_same_bits(plain_.logits(), drafts_.logits());
  }

  void edit() {
    switch (ids_.empty() ? 0 : settings_.below(8)) {
      case 0:
        ids_ = settings_.tokens(10 + settings_.below(150));
        return sync();
      case 1:
        ids_[settings_.below(ids_.size())] = static_cast<TokenId>(settings_.below(300));
        return sync();
      case 2:
        ids_.resize(1 + settings_.below(ids_.size()));
        return sync();
      case 3: {
        auto a = plain_.fork(), b = drafts_.fork();
        ASSERT_TRUE(a.ok() && b.ok());
        plain_ = *std::move(a);
        drafts_ = *std::move(b);
        return;
      }
      case 4:
        expect_ok(drafts_.save(folder_.path("talk")));
        plain_ = new_session();
        drafts_ = new_session();
        expect_ok(plain_.load(folder_.path("talk")));
        expect_ok(drafts_.load(folder_.path("talk")));
        return;
      case 5: {
        const std::vector<TokenId> more =
            settings_.tokens(settings_.below(std::min<std::size_t>(9, kRoom - ids_.size() + 1)));
        ids_.insert(ids_.end(), more.begin(), more.end());
        expect_ok(plain_.append(more));
        expect_ok(drafts_.append(more));
        return;
      }
      default:  // goes on
        return;
    }
  }

  const Engine& engine_;
  const SessionOptions session_;
  Settings settings_;
  TempFolder folder_;
  Session plain_, drafts_;
  std::vector<TokenId> ids_;
};

TinyModel small(bool moe) {
  TinyModel model;
  model.moe = moe;
  model.kv_heads = {0, 1, 0, 1};
  model.thinks = true;
  return model;
}

// All settings of an engine, one pair of sessions after the other.
Totals expect_same_text(const Engine& engine, int pairs, int steps, std::uint32_t seed) {
  Totals all;
  for (int i = 0; i < pairs && !testing::Test::HasFailure(); ++i) {
    Pair pair(engine, seed + static_cast<std::uint32_t>(i));
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(testing::Message() << "pair " << i << ", step " << step);
      pair.step();
    }
    all.settings += pair.totals.settings;
    all.drafted += pair.totals.drafted;
    all.accepted += pair.totals.accepted;
    all.passes += pair.totals.passes;
    all.tokens += pair.totals.tokens;
  }
  return all;
}

// What is drafted depends on the machine's times; that some of it came true and some didn't, hardly.
void expect_both_kinds(const Totals& totals) {
  EXPECT_GT(totals.accepted, totals.settings / 2);
  EXPECT_GT(totals.drafted - totals.accepted, totals.settings / 10);
  EXPECT_LT(totals.passes, totals.tokens);
}

TEST(Drafts, ChangeNoText) {
  const TinyEngine tiny(small(true));
  const Totals totals = expect_same_text(tiny.engine(), kPairs, 12, 1);
  EXPECT_GE(totals.settings, kPairs * 10u);
  expect_both_kinds(totals);
}

TEST(Drafts, ChangeNoTextOfADenseModel) {
  const TinyEngine tiny(small(false));
  expect_both_kinds(expect_same_text(tiny.engine(), kPairs * 2 / 5, 12, 1001));
}

TEST(Drafts, ChangeNoTextWithOtherThreadsAndChunks) {
  const TinyEngine tiny(small(true));
  std::uint32_t seed = 2001;
  for (const unsigned threads : {1u, 2u, 3u}) {
    for (const std::size_t chunk : {1, 2, 7, 40}) {
      const Engine engine = tiny.open({.threads = threads, .chunk_tokens = chunk});
      SCOPED_TRACE(testing::Message() << threads << " threads, chunks of " << chunk);
      expect_same_text(engine, 1, 12, seed += 100);
    }
  }
}

TEST(Drafts, ChangeNoTextOfQuantisedWeights) {
  for (const auto type : {format::TensorType::kQ4_0, format::TensorType::kQ8_0}) {
    TinyModel model = small(true);
    model.matrices = model.embedding = type;
    for (const DenseBackend dense : {DenseBackend::kNative, DenseBackend::kXnnpack}) {
      const TinyEngine tiny(model, {.threads = 1, .dense = dense});
      expect_same_text(tiny.engine(), 3, 12, 4001);
    }
  }
}

// The same with a network that guesses, in turn with lookup.
class NetworkDrafts : public testing::Test {
 protected:
  EngineOptions options(const TinyDraft& draft = {}, unsigned threads = 1) const {
    return {.threads = threads, .draft = folder_.write("draft.gguf", draft.build())};
  }

  TempFolder folder_;
};

TEST_F(NetworkDrafts, ChangeNoText) {
  const TinyEngine tiny(small(true), options());
  const Totals totals = expect_same_text(tiny.engine(), kPairs, 12, 10001);
  EXPECT_GE(totals.settings, kPairs * 10u);
  expect_both_kinds(totals);
}

TEST_F(NetworkDrafts, ChangeNoTextOfADenseModel) {
  const TinyEngine tiny(small(false), options());
  expect_both_kinds(expect_same_text(tiny.engine(), kPairs * 2 / 5, 12, 11001));
}

TEST_F(NetworkDrafts, ChangeNoTextWithOtherThreadsAndChunks) {
  std::uint32_t seed = 12001;
  for (const unsigned threads : {1u, 2u, 3u}) {
    for (const std::size_t chunk : {1, 2, 7, 40}) {
      EngineOptions given = options({}, threads);
      given.chunk_tokens = chunk;
      const TinyEngine tiny(small(true), given);
      SCOPED_TRACE(testing::Message() << threads << " threads, chunks of " << chunk);
      expect_same_text(tiny.engine(), 1, 12, seed += 100);
    }
  }
}

TEST_F(NetworkDrafts, ChangeNoTextOfQuantisedWeights) {
  for (const auto type : {format::TensorType::kQ4_0, format::TensorType::kQ8_0}) {
    TinyModel model = small(true);
    TinyDraft draft;
    model.matrices = model.embedding = draft.matrices = type;
    draft.confidence = type == format::TensorType::kQ8_0;
    draft.block = 1 + static_cast<std::uint32_t>(type) % 9;
    for (const DenseBackend dense : {DenseBackend::kNative, DenseBackend::kXnnpack}) {
      EngineOptions given = options(draft);
      given.dense = dense;
      const TinyEngine tiny(model, given);
      expect_same_text(tiny.engine(), 3, 12, 14001);
    }
  }
}

TEST_F(NetworkDrafts, ChangeNoTextSideBySide) {
  const TinyEngine tiny(small(true), options({}, 2));
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 5; ++i)
    threads.emplace_back([&, i] { (void)expect_same_text(tiny.engine(), 3, 8, 15001 + 100 * i); });
  for (std::thread& thread : threads) thread.join();
}

// Sessions that go on from what a pool holds, with others beside them: a server's.
TEST_F(NetworkDrafts, ChangeNoTextOfAPoolsSessions) {
  const TinyEngine tiny(small(true), options({}, 2));
  const auto pool = SessionPool::create(tiny.engine(), {.session = {.context_tokens = kRoom}});
  ASSERT_TRUE(pool.ok());
  const std::vector<TokenId> stem = random_tokens(40, 1);
  const auto talk = [&](Settings& settings) {
    std::vector<TokenId> ids = stem;
    while (!testing::Test::HasFailure()) {
      const std::vector<TokenId> more = settings.tokens(1 + settings.below(30));
      ids.insert(ids.end(), more.begin(), more.end());
      if (ids.size() >= kRoom) return;
      const GenerateOptions without = settings.options();
      GenerateOptions with = without;
      with.draft = settings.one_in(4) ? Draft::kLookup : Draft::kModel;
      Session plain = TinyEngine::new_session(tiny.engine(), kRoom);
      expect_ok(plain.append(ids));
      auto taken = pool->take(ids);
      ASSERT_TRUE(taken.ok());
      ASSERT_TRUE(taken->sync(ids).ok());
      expect_ok(pool->keep(*taken, stem.size()));
      expect_ok(pool->keep(*taken));
      const std::size_t most = settings.one_in(6) ? 1 + settings.below(30) : ~std::size_t{0};
      const bool masked = settings.one_in(4);
      expect_same(see(plain, without, masked, most), see(*taken, with, masked, most));
      EXPECT_EQ(tokens_of(plain), tokens_of(*taken));
      expect_same_bits(plain.logits(), taken->logits());
      expect_ok(pool->keep(*taken));
      ids = tokens_of(plain);
    }
  };
  std::vector<std::thread> users;
  for (std::uint32_t i = 0; i < 4; ++i) {
    users.emplace_back([&, i] {
      Settings settings(16001 + 100 * i);
      for (int round = 0; round < 12; ++round) talk(settings);
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_GT(pool->stats().taken_tokens, 1000u);
}

TEST_F(NetworkDrafts, NeedANetwork) {
  const TinyEngine tiny(small(true));
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 1)));
  const auto finish = session.generate({.draft = Draft::kModel}, nullptr);
  ASSERT_FALSE(finish.ok());
  EXPECT_EQ(finish.error().code, ErrorCode::kArgument);
  EXPECT_EQ(finish.error().field, "draft");
}

// Whoever shares their passes.
TEST(Drafts, ChangeNoTextSideBySide) {
  const TinyEngine tiny(small(true), {.threads = 2});
  std::vector<Totals> totals(5);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    threads.emplace_back(
        [&, i] { totals[i] = expect_same_text(tiny.engine(), 3, 8, 5001 + 100 * static_cast<std::uint32_t>(i)); });
  }
  for (std::thread& thread : threads) thread.join();
}

// What is copied needs few passes.
TEST(Drafts, SaveThePassesOfWhatIsCopied) {
  const TinyEngine tiny(small(true));
  Session session = tiny.session();
  const std::vector<TokenId> text = random_tokens(200, 9);
  expect_ok(session.append(text));
  GenerateOptions options{.max_tokens = 200, .ignore_end = true, .draft = Draft::kLookup};
  options.mask = [&](const MaskQuery& query) -> Status {
    query.allowed.clear();
    query.allowed.add(text[query.answer.size()]);
    return {};
  };
  const Generated said = generate(session, options);
  EXPECT_EQ(said.finish.tokens, 200u);
  EXPECT_EQ(said.finish.passes + said.finish.accepted, 200u);
  EXPECT_LT(said.finish.passes, 120u);
  EXPECT_EQ(session.stats().generate_passes, said.finish.passes);
  EXPECT_EQ(session.stats().drafted_tokens, said.finish.drafted);
  EXPECT_EQ(session.stats().accepted_tokens, said.finish.accepted);
}

TEST(Drafts, StopWhereTheCallbackThrows) {
  const TinyEngine tiny(small(true));
  Session session = tiny.session();
  Session fresh = tiny.session();
  expect_ok(session.append(random_tokens(5, 1)));
  GenerateOptions options = greedy(200);
  options.sampling.logit_bias = {{kFirstByte + 'a', 100.0f}};
  options.draft = Draft::kLookup;
  std::size_t pieces = 0;
  const auto throws = [&](const Piece&) -> bool { return ++pieces < 60 ? true : throw std::runtime_error("enough"); };
  EXPECT_THROW((void)session.generate(options, throws), std::runtime_error);
  expect_ok(fresh.append(tokens_of(session)));
  expect_same_bits(fresh.logits(), session.logits());
  const Generated a = generate(session, options), b = generate(fresh, greedy(0));
  EXPECT_FALSE(a.error || b.error);
  EXPECT_GT(session.stats().accepted_tokens, 0u);
}

}  // namespace
}  // namespace lfm::test
