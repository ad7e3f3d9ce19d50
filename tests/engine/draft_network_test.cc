// A draft network apart from sessions: what its file has to be, and that what it says of a sequence depends on that
// sequence alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/tiny_engine.h"
#include "lfm/inspect.h"
#include "support/draft_passes.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"
#include "support/tiny_draft.h"

namespace lfm::test {
namespace {

TinyModel target() {
  TinyModel model;
  model.kv_heads = {0, 1, 0, 1};
  return model;
}

void expect_same(const DraftPasses::Block& a, const DraftPasses::Block& b) {
  expect_same_bits(a.hidden, b.hidden);
  expect_same_bits(a.base, b.base);
  for (std::size_t i = 0; i < a.guessed.size(); ++i) {
    EXPECT_EQ(a.guessed[i].token, b.guessed[i].token);
    EXPECT_EQ(a.guessed[i].confidence, b.guessed[i].confidence);
  }
}

// Whatever pieces it came in, whoever was beside it, and whatever was read and dropped on the way.
TEST(DraftNetwork, DependsOnItsSequenceAlone) {
  for (const auto type : {format::TensorType::kF32, format::TensorType::kQ4_0}) {
    for (const kernels::KvFormat format :
         {kernels::KvFormat{}, kernels::KvFormat{kernels::KvType::kQ8_0, kernels::KvType::kQ8_0}}) {
      TinyDraft shape;
      shape.matrices = type;
      const std::string model = target().build(), file = shape.build();
      DraftPasses one(model, file), many(model, file, 3);
      for (const std::size_t length : {1, 5, 40, 300}) {
        const std::vector<TokenId> ids = random_tokens(length, 3);
        model::State whole = one.state(length + 40, format);
        one.read(whole, ids);
        const DraftPasses::Block expected = one.guess(whole, 77, shape.block);
        std::mt19937 random(static_cast<std::uint32_t>(length));
        model::State cut = many.state(length + 40, format), other = many.state(400, format);
        for (std::size_t at = 0; at < length;) {
          const std::size_t count = std::min<std::size_t>(length - at, 1 + random() % 30);
          if (random() % 2 == 0) {  // guesses, and tokens that aren't kept
            (void)many.guess(cut, static_cast<TokenId>(random() % 300), 1 + random() % shape.block);
            expect_ok(cut.make_room(3));
            model::State ahead = cut.fork(cut.position(), std::as_const(cut).all_conv());
            many.read(ahead, random_tokens(3, 9));
          }
          const std::vector<TokenId> beside = random_tokens(1 + random() % 5, 8);
          const model::Run runs[] = {{&other, beside}, {&cut, std::span(ids).subspan(at, count)}};
          many.read(other.position() + 5 < 400 ? std::span(runs) : std::span(runs).last(1));
          at += count;
        }
        expect_same(expected, many.guess(cut, 77, shape.block));
        model::State fork = cut.fork(length, std::as_const(cut).all_conv());
        expect_same(expected, many.guess(fork, 77, shape.block));
      }
    }
  }
}

// Where the draft hasn't read a beginning, it sees what comes after that, from a multiple of its kernels' steps on.
TEST(DraftNetwork, SeesNothingOfWhatItHasntRead) {
  DraftPasses passes(target().build(), TinyDraft{}.build());
  const std::vector<TokenId> ids = random_tokens(900, 4);
  const auto read = [&](model::State& state, std::size_t begin, std::size_t end) {
    for (; begin < end; begin += 100)
      passes.read(state, std::span(ids).subspan(begin, std::min<std::size_t>(100, end - begin)));
  };
  model::State whole = passes.state(1000), begun = passes.state(1000);
  read(whole, 0, 900);
  read(begun, 0, 200);
  begun.skip_draft();
  EXPECT_FALSE(model::may_guess(begun));
  read(begun, 200, 500);
  EXPECT_FALSE(model::may_guess(begun));
  read(begun, 500, 900);
  ASSERT_TRUE(model::may_guess(begun));
  const DraftPasses::Block some = passes.guess(begun, 5, 5);
  for (std::size_t i = 0; i < 512 / kernels::kKvBlock; ++i)
    std::memset(begun.draft_kv()->page(i), 0xff, begun.draft_kv()->page_bytes());  // NaN
  expect_same(some, passes.guess(begun, 5, 5));
  const DraftPasses::Block all = passes.guess(whole, 5, 5);
  EXPECT_NE(all.hidden, some.hidden);
  begun.rewind(0, {});
  EXPECT_TRUE(model::may_guess(begun));
  read(begun, 0, 900);
  expect_same(all, passes.guess(begun, 5, 5));
}

// And of a long context the end alone.
TEST(DraftNetwork, SeesALongContextsEnd) {
  constexpr std::size_t kPositions = model::kDraftWindow + 700;
  DraftPasses passes(target().build(), TinyDraft{}.build());
  const std::vector<TokenId> ids = random_tokens(kPositions, 4);
  model::State state = passes.state(kPositions + 100);
  for (std::size_t at = 0; at < kPositions; at += 100)
    passes.read(state, std::span(ids).subspan(at, std::min<std::size_t>(100, kPositions - at)));
  const DraftPasses::Block seen = passes.guess(state, 5, 5);
  const auto spoil = [&](std::size_t page) {
    std::memset(state.draft_kv()->page(page), 0xff, state.draft_kv()->page_bytes());  // NaN
  };
  constexpr std::size_t kPages = kernels::kSplit / kernels::kKvBlock;
  for (std::size_t i = 0; i < kPages; ++i) spoil(i);
  expect_same(seen, passes.guess(state, 5, 5));
  spoil(kPages);
  EXPECT_NE(seen.hidden, passes.guess(state, 5, 5).hidden);
}

TEST(DraftNetwork, FindsTheLikeliest) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> logits(1 + random() % 700);
    for (float& logit : logits) logit = static_cast<float>(random() % (round % 3 == 0 ? 10 : 100000));
    std::vector<model::Candidate> found(model::kCandidates), all;
    model::Likeliest likeliest(found);
    likeliest.clear();
    for (std::size_t at = 0; at < logits.size();) {  // in pieces
      const std::size_t count = std::min<std::size_t>(logits.size() - at, 1 + random() % 100);
      likeliest.add(std::span(logits).subspan(at, count), static_cast<std::int32_t>(at));
      at += count;
    }
    for (std::size_t i = 0; i < logits.size(); ++i) all.push_back({logits[i], static_cast<std::int32_t>(i)});
    const auto likelier = [](const model::Candidate& a, const model::Candidate& b) {
      return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
    };
    std::sort(all.begin(), all.end(), likelier);
    std::sort(found.begin(), found.end(), likelier);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_LT(static_cast<std::size_t>(found[i].token), logits.size());
      if (i >= all.size()) continue;
      ASSERT_EQ(found[i].logit, all[i].logit);
      ASSERT_EQ(found[i].token, all[i].token);
    }
  }
  std::vector<model::Candidate> found(model::kCandidates);
  model::Likeliest likeliest(found);
  likeliest.clear();
  likeliest.add(std::vector<float>(500, std::nanf("")), 100);
  for (const model::Candidate& each : found) EXPECT_EQ(each.token, 0);
}

// Those of a part of the vocabulary: of the same logits as of all, whoever computes them.
TEST(DraftNetwork, GuessesTokensOfItsListAlone) {
  for (const auto type : {format::TensorType::kF32, format::TensorType::kQ4_0}) {
    TinyDraft shape;
    shape.matrices = type;
    DraftPasses passes(target().build(), shape.build(), type == format::TensorType::kF32 ? 1 : 3);
    model::State state = passes.state(100);
    passes.read(state, random_tokens(50, 2));
    model::Shortlist list(300, 100, 4);
    list.read(std::vector<std::int32_t>{120, 250, 299, 112});
    for (const std::size_t rows : {1, 2, 5}) {
      const DraftPasses::Block block = passes.guess(state, 7, rows, list);
      for (std::size_t row = 0; row < rows; ++row) {
        std::vector<std::pair<float, std::int32_t>> expected, found;
        for (std::int32_t id = 0; id < 300; ++id) {
          const bool listed = id < 128 || (id >= 240 && id < 256) || id >= 288;
          if (listed) expected.emplace_back(-block.base[row * 300 + static_cast<std::size_t>(id)], id);
        }
        std::sort(expected.begin(), expected.end());
        expected.resize(model::kCandidates);
        for (std::size_t i = 0; i < model::kCandidates; ++i) {
          const model::Candidate& candidate = block.candidates[row * model::kCandidates + i];
          found.emplace_back(-candidate.logit, candidate.token);
        }
        std::sort(found.begin(), found.end());
        EXPECT_EQ(expected, found);
      }
    }
  }
}

// ---- files

class DraftFiles : public testing::Test {
 protected:
  Result<Engine> open(const std::string& draft) const {
    return Engine::open(model_, {.threads = 1, .draft = folder_.write("draft.gguf", draft)});
  }
  void expect_refused(const std::function<void(GgufBuilder&)>& change, ErrorCode code, const std::string& field,
                      const std::string& words) const {
    const std::string whose = field == "draft" ? "" : folder_.path("draft.gguf") + ": ";
    GgufBuilder file = TinyDraft{}.builder();
    change(file);
    const auto engine = open(file.build());
    ASSERT_FALSE(engine.ok()) << field;
    EXPECT_EQ(engine.error().code, code) << engine.error().describe();
    EXPECT_EQ(engine.error().field, whose + field) << engine.error().describe();
    EXPECT_NE(engine.error().describe().find(words), std::string::npos) << engine.error().describe();
  }

  TempFolder folder_;
  std::string model_ = folder_.write("model.gguf", target().build());
};

TEST_F(DraftFiles, AreToldOf) {
  TinyDraft shape;
  shape.matrices = format::TensorType::kQ4_0;
  shape.confidence = false;
  const auto engine = open(shape.build());
  ASSERT_TRUE(engine.ok()) << engine.error().describe();
  EXPECT_EQ(engine->info().draft, folder_.path("draft.gguf"));
  EXPECT_GT(engine->info().draft_weight_bytes, 0u);
  EXPECT_GT(engine->info().cache_bytes_per_token, Engine::open(model_, {.threads = 1})->info().cache_bytes_per_token);
  const auto described = inspect(folder_.path("draft.gguf"));
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described->info.architecture, "dflash");
}

TEST_F(DraftFiles, AreReadLikeAnyOthers) {
  using enum ErrorCode;
  const auto u32 = [](const char* key, std::uint32_t value) {
    return [=](GgufBuilder& file) { file.set_u32(key, value); };
  };
  expect_refused(u32("dflash.block_size", 0), kFormat, "dflash.block_size", "expected 1 to 31");
  expect_refused(u32("dflash.block_size", 32), kFormat, "dflash.block_size", "expected 1 to 31");
  expect_refused(u32("tokenizer.ggml.mask_token_id", 300), kFormat, "tokenizer.ggml.mask_token_id", "0 to 299");
  expect_refused(u32("dflash.attention.head_count_kv", 3), kFormat, "dflash.attention.head_count_kv", "divisor");
  expect_refused(u32("dflash.embedding_length", 96), kFormat, "fc.weight", "expected [192, 96]");
  expect_refused(u32("dflash.selector_rank", 16), kUnsupported, "dflash.selector_rank", "only 0");
  expect_refused(u32("dflash.hyper_connection.count", 4), kUnsupported, "dflash.hyper_connection.count", "only 0");
  const auto taps = [](std::vector<std::int32_t> layers) {
    return [=](GgufBuilder& file) { file.set_i32s("dflash.target_layers", layers); };
  };
  expect_refused(taps({}), kFormat, "dflash.target_layers", "1 to 16");
  expect_refused(taps({1, 0}), kFormat, "dflash.target_layers", "is 0");
  expect_refused(taps({1, -1}), kFormat, "dflash.target_layers", "is -1");
  expect_refused(taps({1, 4}), kArgument, "draft", "layer 4, the model has 4");
  expect_refused([](GgufBuilder& file) { file.erase("dflash.target_layers"); }, kFormat, "dflash.target_layers",
                 "missing");
  const auto without = [](const char* name) { return [=](GgufBuilder& file) { file.erase_tensor(name); }; };
  for (const char* name :
       {"fc.weight", "enc.output_norm.weight", "output_norm.weight", "markov_w2.weight", "blk.1.attn_k.weight"})
    expect_refused(without(name), kFormat, name, "missing");
  expect_refused(without("markov_w1.weight"), kUnsupported, "markov_w1.weight", "missing");
  const auto with = [](const char* name) { return [=](GgufBuilder& file) { file.add_tensor(name, {32}); }; };
  for (const char* name : {"d2t", "blk.0.attn_sinks.weight", "fc.scale", "selector_hidden.weight"})
    expect_refused(with(name), kFormat, name, "doesn't belong");
  expect_refused(
      [](GgufBuilder& file) { file.set("dflash.sample_from_anchor", format::ValueType::kBool, bytes_of(false)); },
      kUnsupported, "dflash.sample_from_anchor", "first token");
  expect_refused(
      [](GgufBuilder& file) { file.set("dflash.attention.causal", format::ValueType::kBool, bytes_of(true)); },
      kUnsupported, "dflash.attention.causal", "block");
}

TEST_F(DraftFiles, BelongToTheirModel) {
  TinyDraft shape;
  shape.vocab = 310;
  EXPECT_NE(open(shape.build()).error().describe().find("310 tokens, the model 300"), std::string::npos);
  shape = {};
  shape.hidden = 96;
  shape.heads = 3;
  EXPECT_NE(open(shape.build()).error().describe().find("96 channels, the model 64"), std::string::npos);
  const auto itself = Engine::open(model_, {.threads = 1, .draft = model_});
  EXPECT_EQ(itself.error().code, ErrorCode::kArgument);
  EXPECT_NE(itself.error().describe().find("is a model by itself"), std::string::npos);
  const auto alone = Engine::open(folder_.write("draft.gguf", TinyDraft{}.build()), {.threads = 1});
  EXPECT_EQ(alone.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(alone.error().describe().find("open it beside that model"), std::string::npos);
  const auto none = Engine::open(model_, {.threads = 1, .draft = folder_.path("none")});
  EXPECT_EQ(none.error().code, ErrorCode::kIo);
  EXPECT_EQ(none.error().field, folder_.path("none"));
  EXPECT_EQ(none.error().message.find("none"), std::string::npos) << none.error().message;
}

// Taps are read one by one, which a group of columns that two of them share can't be.
TEST_F(DraftFiles, HaveTapsOfWholeGroups) {
  TinyModel model = target();
  model.hidden = 96;
  model.heads = 3;
  TinyDraft shape;
  shape.hidden = 96;
  shape.heads = 3;
  const std::string path = folder_.write("wide.gguf", model.build());
  EXPECT_TRUE(Engine::open(path, {.threads = 1, .draft = folder_.write("draft.gguf", shape.build())}).ok());
  shape.matrices = format::TensorType::kQ4_0;
  const auto engine = Engine::open(path, {.threads = 1, .draft = folder_.write("draft.gguf", shape.build())});
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(engine.error().field, folder_.path("draft.gguf") + ": fc.weight");
}

// Numbers that are changed at random end in an error or in a draft that can be asked.
TEST_F(DraftFiles, MayBeDamaged) {
  std::vector<Field> fields;
  const std::string whole = TinyDraft{}.builder().build(&fields);
  std::mt19937 random(5);
  std::size_t opened = 0;
  for (int round = 0; round < 400; ++round) {
    std::string damaged = whole;
    if (round % 4 == 0) damaged.resize(random() % damaged.size());
    for (std::size_t n = 1 + random() % 3; n > 0 && !damaged.empty(); --n) {
      const Field& field = fields[random() % fields.size()];
      const std::size_t at = round % 3 == 0 ? random() % damaged.size() : field.offset;
      if (at < damaged.size())
        damaged[at] = static_cast<char>(random() % 8 == 0 ? random() : damaged[at] ^ (1 << random() % 8));
    }
    const auto engine = open(damaged);
    if (!engine.ok()) {
      EXPECT_FALSE(engine.error().message.empty());
      continue;
    }
    ++opened;
    Session session = TinyEngine::new_session(*engine);
    expect_ok(session.append(random_tokens(20, 1)));
    GenerateOptions options = greedy(10);
    options.draft = Draft::kModel;
    EXPECT_TRUE(session.generate(options, nullptr).ok());
  }
  EXPECT_GT(opened, 10u);
}

}  // namespace
}  // namespace lfm::test
