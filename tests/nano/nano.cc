#include "nano/nano.h"

#include <stdexcept>
#include <utility>

#include "support/expect.h"

namespace lfm::test {
namespace {

Session new_session(const SessionOptions& options) {
  Result<Session> session = nano().new_session(options);
  if (!session.ok()) throw std::runtime_error(session.error().describe());
  return *std::move(session);
}

}  // namespace

const Engine& nano() {
  static const Result<Engine> engine = Engine::open(LFM_NANO "/lfm2-nano-q4_0.gguf");
  if (!engine.ok()) throw std::runtime_error(engine.error().describe());
  return *engine;
}

Answer greedy(Session& session, std::size_t max_tokens) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.sampling = SamplingOptions{.temperature = 0};
  Answer answer;
  const auto finish = session.generate(options, [&](const Piece& piece) {
    answer.text += piece.text;
    return true;
  });
  expect_ok(finish);
  if (finish.ok()) answer.reason = finish->reason;
  return answer;
}

Conversation::Conversation(const SessionOptions& options) : session_(new_session(options)) {}

std::string Conversation::tool(std::string_view result) {
  return reply_to("tool", "<|tool_response_start|>" + std::string(result) + "<|tool_response_end|>");
}

void Conversation::add(std::string_view role, std::string_view text) {
  append("<|im_start|>" + std::string(role) + "\n" + std::string(text) + "<|im_end|>\n");
}

void Conversation::append(const std::string& text) {
  const auto ids = nano().tokenizer().encode(text, {.bos = tokens() == 0, .special_tokens = true});
  expect_ok(ids);
  if (ids.ok()) expect_ok(session_.append(*ids));
}

std::string Conversation::reply_to(std::string_view role, std::string_view text) {
  add(role, text);
  append("<|im_start|>assistant\n");
  const Answer answer = greedy(session_, 300);
  EXPECT_EQ(answer.reason, FinishReason::kEnd) << "no end: " << answer.text;
  append("\n");
  return answer.text;
}

}  // namespace lfm::test
