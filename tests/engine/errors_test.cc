// What goes wrong in an engine and its sessions: the error says it, and nothing is lost.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "engine/tiny_engine.h"
#include "lfm/inspect.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

GenerateOptions sampled(std::size_t max_tokens, std::uint64_t seed) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.sampling = SamplingOptions{.seed = seed};
  options.ignore_end = true;
  return options;
}

// ---- sessions

TEST(SessionErrors, IdsOutsideTheVocabulary) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 1)));
  const std::vector<TokenId> before = tokens_of(session);
  for (const TokenId bad : {-1, 300, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min()}) {
    const TokenId ids[] = {3, 4, bad, 5};
    const Status appended = session.append(ids);
    expect_error(appended, ErrorCode::kArgument, "isn't in the vocabulary");
    EXPECT_EQ(appended.error().index, 2u);
    const auto synced = session.sync(ids);
    expect_error(synced, ErrorCode::kArgument, std::to_string(bad));
    EXPECT_EQ(synced.error().index, 2u);
    EXPECT_EQ(tokens_of(session), before);
  }
  const TokenId last[] = {299};
  expect_ok(session.append(last));
}

TEST(SessionErrors, NothingToGoOnFrom) {
  const TinyEngine tiny;
  Session session = tiny.session();
  EXPECT_TRUE(session.logits().empty());
  expect_error(session.generate(greedy(1), nullptr), ErrorCode::kState, "");
  expect_ok(session.append({}));
  expect_ok(session.sync({}));
  expect_error(session.generate(greedy(1), nullptr), ErrorCode::kState, "");
  expect_ok(session.append(random_tokens(1, 2)));
  EXPECT_FALSE(session.logits().empty());
  EXPECT_EQ(generate(session, greedy(3)).finish.tokens, 3u);
}

TEST(SessionErrors, PromptBeyondTheContext) {
  const TinyEngine tiny;
  Session session = tiny.session(20);
  EXPECT_EQ(session.context_tokens(), 20u);
  expect_error(session.append(random_tokens(21, 3)), ErrorCode::kLimit, "21 tokens in a context of 20");
  expect_error(session.sync(random_tokens(21, 3)), ErrorCode::kLimit, "21 tokens in a context of 20");
  EXPECT_TRUE(session.tokens().empty());
  expect_ok(session.append(random_tokens(20, 3)));
  expect_error(session.append(random_tokens(1, 3)), ErrorCode::kLimit, "21 tokens in a context of 20");
  EXPECT_EQ(session.tokens().size(), 20u);
  expect_error(tiny.engine().new_session({.context_tokens = 1025}), ErrorCode::kLimit, "1024");
}

TEST(SessionErrors, TheLastPositionIsUsed) {
  const TinyEngine tiny;
  Session session = tiny.session(20);
  expect_ok(session.append(random_tokens(19, 4)));
  Finish finish = generate(session, greedy(10)).finish;
  EXPECT_EQ(finish.reason, FinishReason::kContextFull);
  EXPECT_EQ(finish.tokens, 1u);
  EXPECT_EQ(session.tokens().size(), 20u);
  finish = generate(session, greedy(10)).finish;
  EXPECT_EQ(finish.reason, FinishReason::kContextFull);
  EXPECT_EQ(finish.tokens, 0u);
  finish = generate(session, greedy(0)).finish;
  EXPECT_EQ(finish.reason, FinishReason::kLength);

  Session one = tiny.session(1);
  expect_ok(one.append(random_tokens(1, 4)));
  EXPECT_FALSE(one.logits().empty());
}

TEST(SessionErrors, OptionsOutOfRange) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 5)));
  GenerateOptions options = greedy(3);
  options.sampling.top_p = 1.5f;
  expect_error(session.generate(options, nullptr), ErrorCode::kArgument, "top_p");
  options = greedy(3);
  options.sampling.temperature = std::nanf("");
  expect_error(session.generate(options, nullptr), ErrorCode::kArgument, "temperature");
  options = greedy(3);
  options.sampling.logit_bias = {{300, 1.0f}};
  expect_error(session.generate(options, nullptr), ErrorCode::kArgument, "logit_bias");
  options = greedy(3);
  options.stop = {"x", ""};
  expect_error(session.generate(options, nullptr), ErrorCode::kArgument, "stop");
  EXPECT_EQ(session.tokens().size(), 5u);
}

// ---- ends of a generation

TEST(Generate, CancelFromTheCallback) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 6)));
  int calls = 0;
  const auto finish = session.generate(greedy(100), [&](const Piece&) { return ++calls < 3; });
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->reason, FinishReason::kCancelled);
  EXPECT_EQ(calls, 3) << "nobody is called who had enough";
  EXPECT_LT(finish->tokens, 100u);
  EXPECT_EQ(session.tokens().size(), 5 + finish->tokens);
  EXPECT_EQ(generate(session, greedy(4)).finish.tokens, 4u);
}

TEST(Generate, CancelFromAnotherThread) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 7)));
  std::atomic<bool> running = false, cancelled = false;
  std::thread other([&] {
    while (!running) std::this_thread::yield();
    session.cancel();
    cancelled = true;
  });
  const auto finish = session.generate(greedy(500), [&](const Piece&) {
    running = true;
    while (!cancelled) std::this_thread::yield();
    return true;
  });
  other.join();
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->reason, FinishReason::kCancelled);
  EXPECT_LT(finish->tokens, 500u);
  EXPECT_EQ(session.tokens().size(), 5 + finish->tokens);
  EXPECT_EQ(generate(session, greedy(4)).finish.tokens, 4u) << "it holds for one call only";
}

TEST(Generate, CancelDuringAPrompt) {
  const TinyEngine tiny({}, {.threads = 1, .chunk_tokens = 8});
  Session session = tiny.session();
  const std::vector<TokenId> ids = random_tokens(64, 8);
  std::size_t seen = 0;
  const Status status = session.append(ids, [&](std::span<const float>) {
    if (++seen == 20) session.cancel();
  });
  expect_error(status, ErrorCode::kCancelled, "cancelled");
  EXPECT_EQ(session.tokens().size(), 24u) << "the chunks that were done";
  expect_ok(session.sync(ids));
  Session fresh = tiny.session();
  expect_ok(fresh.append(ids));
  EXPECT_EQ(logits_of(fresh), logits_of(session));
}

TEST(Generate, StopStrings) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 9)));
  const std::vector<TokenId> prompt = tokens_of(session);
  const std::string whole = generate(session, sampled(60, 3)).text;
  const auto bytes = tiny.engine().tokenizer().decode(session.tokens().subspan(prompt.size()));
  ASSERT_TRUE(bytes.ok());
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const auto at = std::find_if(whole.begin() + 20, whole.end(), ascii);
  ASSERT_NE(at, whole.end());
  const std::string stop(at, std::find_if_not(at, whole.end(), ascii));
  expect_ok(session.sync(prompt));
  GenerateOptions options = sampled(60, 3);
  options.stop = {"not in it at all", stop};
  const Generated stopped = generate(session, options);
  EXPECT_EQ(stopped.finish.reason, FinishReason::kStop);
  EXPECT_EQ(stopped.text, whole.substr(0, whole.find(stop)));
  EXPECT_LT(stopped.finish.tokens, 60u);
  EXPECT_EQ(session.tokens().size(), prompt.size() + stopped.finish.tokens);

  // What might have become a stop string comes out at the end.
  expect_ok(session.sync(prompt));
  options.stop = {bytes->substr(bytes->size() - 2) + "never"};
  EXPECT_EQ(generate(session, options).text, whole);
}

TEST(Generate, EndOfTheModelsTurn) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 10)));
  GenerateOptions options;
  options.max_tokens = 6;
  options.sampling = SamplingOptions{.logit_bias = {{7, 1000.0f}}};
  Generated out = generate(session, options);
  EXPECT_EQ(out.finish.reason, FinishReason::kEnd);
  EXPECT_EQ(out.finish.tokens, 0u);
  EXPECT_EQ(session.tokens().size(), 5u);
  options.ignore_end = true;
  out = generate(session, options);
  EXPECT_EQ(out.finish.reason, FinishReason::kLength);
  EXPECT_EQ(out.finish.tokens, 6u);
  EXPECT_EQ(session.tokens().back(), 7);
}

// However many calls it takes.
TEST(Generate, TheSeedDecides) {
  const TinyEngine tiny;
  const auto text = [&](std::uint64_t seed, std::size_t at_once) {
    Session session = tiny.session();
    expect_ok(session.append(random_tokens(5, 11)));
    std::string all;
    for (std::size_t done = 0; done < 24; done += at_once) all += generate(session, sampled(at_once, seed)).text;
    return all;
  };
  for (const std::size_t at_once : {24u, 12u, 8u, 3u, 1u}) EXPECT_EQ(text(1, at_once), text(1, 24)) << at_once;
  EXPECT_NE(text(1, 24), text(2, 24));
}

TEST(Generate, NobodyListens) {
  const TinyEngine tiny;
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 12)));
  const auto finish = session.generate(greedy(5), nullptr);
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->tokens, 5u);
}

// ---- networks that overflow

TEST(Numeric, InfiniteLogitsAreAnError) {
  GgufBuilder file = TinyModel{}.builder();
  std::string& norm = file.tensor("token_embd_norm.weight").data;
  for (std::size_t i = 0; i < norm.size(); i += 4) {
    const float huge = 3e38f;
    std::memcpy(norm.data() + i, &huge, sizeof huge);
  }
  const TempFile path(file.build());
  auto engine = Engine::open(path.path(), {.threads = 2});
  ASSERT_TRUE(engine.ok()) << engine.error().describe();
  Session session = TinyEngine::new_session(*engine);
  expect_error(session.append(random_tokens(5, 13)), ErrorCode::kNumeric, "NaN or infinity");
  EXPECT_TRUE(session.tokens().empty());
  std::size_t calls = 0;
  expect_error(session.append(random_tokens(5, 13), [&](std::span<const float>) { ++calls; }), ErrorCode::kNumeric, "");
  EXPECT_EQ(calls, 0u);
}

// ---- files

TEST(OpenErrors, NotAFile) {
  expect_error(Engine::open("/nonexistent/model.gguf"), ErrorCode::kIo, "No such file");
  expect_error(Engine::open(""), ErrorCode::kIo, "No such file");
  expect_error(Engine::open("/"), ErrorCode::kIo, "there is no config.json");
  expect_error(Engine::open(std::string("a\0b", 3)), ErrorCode::kArgument, "NUL");
  const std::string fifo = TempFile::new_path();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_error(Engine::open(fifo), ErrorCode::kIo, "not a regular file");
  ::unlink(fifo.c_str());
  expect_error(Engine::open("/dev/null"), ErrorCode::kIo, "not a regular file");
}

TEST(OpenErrors, TruncatedFiles) {
  const std::string whole = TinyModel{}.build();
  std::vector<std::size_t> lengths = {0, 1, 3, 4, 8, 23, 24, 25, 100, whole.size() - 1, whole.size() - 100};
  for (std::size_t i = 1; i < 40; ++i) lengths.push_back(whole.size() * i / 40);
  for (const std::size_t length : lengths) {
    SCOPED_TRACE(length);
    const TempFile file(whole.substr(0, length));
    const auto engine = Engine::open(file.path());
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.error().code, ErrorCode::kFormat) << engine.error().describe();
    EXPECT_FALSE(inspect(file.path()).ok());
  }
}

TEST(OpenErrors, Options) {
  const TinyEngine tiny;
  expect_error(Engine::open(tiny.path(), {.chunk_tokens = 0}), ErrorCode::kArgument, "chunk_tokens");
  expect_error(Engine::open(tiny.path(), {.chunk_tokens = 4097}), ErrorCode::kArgument, "chunk_tokens");
  expect_error(Engine::open(tiny.path(), {.threads = 257}), ErrorCode::kLimit, "threads");
  const EnvironmentVariable isa("LFM_ISA", "sse9");
  expect_error(Engine::open(tiny.path()), ErrorCode::kArgument, "LFM_ISA");
}

// Weights that are no numbers are found when they are read, whatever type they have.
void expect_bad_weight(const TinyModel& model, const std::string& tensor, std::size_t offset, const std::string& bytes,
                       std::uint64_t index) {
  SCOPED_TRACE(tensor);
  GgufBuilder file = model.builder();
  file.tensor(tensor).data.replace(offset, bytes.size(), bytes);
  const TempFile path(file.build());
  const auto engine = Engine::open(path.path());
  expect_error(engine, ErrorCode::kFormat, tensor);
  if (engine.ok()) return;
  EXPECT_EQ(engine.error().field, tensor);
  EXPECT_EQ(engine.error().index, index);
}

TEST(BadWeights, Floats) {
  const std::string nan = bytes_of(std::nanf("")), infinity = bytes_of(-kInfinity);
  const TinyModel model;
  expect_bad_weight(model, "blk.0.ffn_gate.weight", 4 * 1234, nan, 1234);
  expect_bad_weight(model, "blk.2.ffn_down_exps.weight", 4 * (3 * 64 * 64 + 70), infinity, 3 * 64 * 64 + 70);
  expect_bad_weight(model, "token_embd.weight", 4 * (300 * 64 - 1), nan, 300 * 64 - 1);
  expect_bad_weight(model, "blk.1.attn_q_norm.weight", 4 * 3, nan, 3);
  expect_bad_weight(model, "blk.0.shortconv.conv.weight", 4 * 191, infinity, 191);
  expect_bad_weight(model, "blk.1.exp_probs_b.bias", 4 * 2, nan, 2);
  expect_bad_weight(model, "blk.1.ffn_gate_inp.weight", 0, nan, 0);
}

TEST(BadWeights, HalfFloats) {
  TinyModel model;
  model.matrices = format::TensorType::kF16;
  expect_bad_weight(model, "blk.1.attn_k.weight", 2 * 100, bytes_of(std::uint16_t{0x7e00}), 100);
  expect_bad_weight(model, "blk.0.shortconv.in_proj.weight", 2 * (191 * 64 + 5), bytes_of(std::uint16_t{0xfc00}),
                    191 * 64 + 5);
  model.matrices = format::TensorType::kBF16;
  expect_bad_weight(model, "blk.1.attn_v.weight", 2 * 7, bytes_of(std::uint16_t{0x7fc0}), 7);
}

// Of blocks the index is the block's.
TEST(BadWeights, Scales) {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  expect_bad_weight(model, "blk.0.ffn_up.weight", 18 * 50, bytes_of(std::uint16_t{0x7c00}), 50);
  expect_bad_weight(model, "blk.1.ffn_up_exps.weight", 18 * (64 * 2 * 3 + 1), bytes_of(std::uint16_t{0x7e01}),
                    64 * 2 * 3 + 1);
  model.matrices = format::TensorType::kQ8_0;
  expect_bad_weight(model, "blk.1.attn_output.weight", 34 * 127, bytes_of(std::uint16_t{0xfc00}), 127);
}

}  // namespace
}  // namespace lfm::test
