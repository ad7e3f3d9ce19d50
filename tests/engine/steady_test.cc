// Decoding in the steady state: what a token costs beside its arithmetic.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "lfm/lfm.h"
#include "support/alloc_meter.h"
#include "support/tiny_model.h"

namespace lfm {
namespace {

std::string write_model() {
  const std::string path = testing::TempDir() + "steady_" + std::to_string(getpid()) + ".gguf";
  test::TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  std::ofstream(path, std::ios::binary) << model.build();
  return path;
}

// Two hundred tokens, snapshots of the state among them.
TEST(Steady, DecodingDoesNotAllocate) {
  const std::string path = write_model();
  for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative}) {
    EngineOptions options;
    options.threads = 2;
    options.dense = dense;
    auto engine = Engine::open(path, options);
    ASSERT_TRUE(engine.ok()) << engine.error().describe();
    auto session = engine->new_session({.context_tokens = 512});
    ASSERT_TRUE(session.ok());
    const std::vector<TokenId> prompt(40, 20);
    ASSERT_TRUE(session->append(prompt).ok());
    const TokenId token = 21;
    ASSERT_TRUE(session->append({&token, 1}).ok());

    test::AllocMeter meter;
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(session->append({&token, 1}).ok());
    EXPECT_EQ(meter.allocations(), 0u);
  }
  unlink(path.c_str());
}

// A structured answer likewise, once it is under way.
TEST(Steady, AnsweringDoesNotAllocate) {
  const std::string path = write_model();
  auto engine = Engine::open(path, {.threads = 1});
  ASSERT_TRUE(engine.ok()) << engine.error().describe();
  auto session = engine->new_session({.context_tokens = 512});
  ASSERT_TRUE(session.ok());
  const std::vector<TokenId> prompt(40, 20);
  ASSERT_TRUE(session->append(prompt).ok());
  GenerateOptions options{.max_tokens = 200, .ignore_end = true, .structured = true, .thinking_budget = 5};
  options.sampling = SamplingOptions{.logit_bias = {{79, 100.0f}}};  // "A", and nothing else
  options.stop = {"Ab"};
  std::optional<test::AllocMeter> meter;
  std::uint64_t allocations = 1;
  int pieces = 0;
  const auto finish = session->generate(options, [&](const Piece&) {
    if (++pieces == 20) meter.emplace();
    if (pieces == 150) allocations = meter->allocations();
    return true;
  });
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->text_bytes, 200u);
  EXPECT_EQ(allocations, 0u);
  unlink(path.c_str());
}

// Every allocation of opening, reading a prompt, decoding, saving, loading and chatting fails once, and from then on: a
// status each time, and the next try works.
TEST(Steady, EveryAllocationMayFail) {
  const std::string path = write_model();
  const std::string saved = path + ".session";
  EngineOptions options;
  options.threads = 1;
  options.dense = DenseBackend::kXnnpack;
  const ChatOptions chat_options{.tools = "[{\"name\": \"f\"}]"};
  const std::vector<Message> messages = {{Role::kUser, "a"},
                                         {.role = Role::kAssistant, .tool_calls = {{"f", "{\"a\": [1]}"}}}};
  const auto all = [&]() -> Status {
    auto engine = Engine::open(path, options);
    if (!engine.ok()) return std::move(engine).error();
    auto session = engine->new_session({.context_tokens = 128});
    if (!session.ok()) return std::move(session).error();
    auto prompt = engine->tokenizer().encode("abc");
    if (!prompt.ok()) return std::move(prompt).error();
    if (auto synced = session->sync(*prompt); !synced.ok()) return std::move(synced).error();
    auto finish = session->generate({.max_tokens = 4, .ignore_end = true}, nullptr);
    if (!finish.ok()) return std::move(finish).error();
    if (auto status = session->append(*prompt, [](std::span<const float>) {}); !status.ok()) return status;
    if (auto status = session->save(saved); !status.ok()) return status;
    if (auto status = session->load(saved); !status.ok()) return status;
    if (auto fork = session->fork(); !fork.ok()) return std::move(fork).error();
    if (session->tokens().size() != 2 * prompt->size() + 4) return Error{ErrorCode::kState, "lost tokens"};
    auto chat = Chat::create(*engine, chat_options);
    if (!chat.ok()) return std::move(chat).error();
    auto answer = chat->answer(*session, messages, {.max_tokens = 2, .ignore_end = true, .thinking_budget = 1});
    if (!answer.ok()) return std::move(answer).error();
    return {};
  };
  std::uint64_t count = 0;
  {
    test::AllocMeter meter;
    ASSERT_TRUE(all().ok());
    count = meter.allocations();
  }
  ASSERT_GT(count, 20u);
  for (const bool forever : {false, true}) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const Status status = [&] {
        const test::AllocMeter meter(i, forever);
        return all();
      }();
      if (!status.ok()) {
        EXPECT_EQ(status.error().code, ErrorCode::kNoMemory) << "allocation " << i << ": " << status.error().describe();
      }
    }
  }
  EXPECT_TRUE(all().ok());
  std::printf("%llu points\n", static_cast<unsigned long long>(count));
  unlink(saved.c_str());
  unlink(path.c_str());
}

}  // namespace
}  // namespace lfm
