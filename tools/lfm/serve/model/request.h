// What is asked of the model and what it answers, whatever dialect it is said in: a file of each dialect translates a
// request's JSON to a ChatRequest, and has an AnswerWriter that says what comes of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/lfm.h"
#include "serve/api_error.h"
#include "serve/http/application.h"

namespace lfm::serve {

// How a request says which calls there may be.
struct ToolUse {
  std::string list;         // JSON, as the model reads it; empty: no tools
  std::string strict = {};  // likewise, what calls are held to
  ToolConstraint rule = {ToolChoice::kAuto};
};

struct ChatRequest {
  // A conversation that is to be answered, or tokens that are to go on.
  std::vector<Message> messages;
  std::optional<std::vector<TokenId>> tokens = std::nullopt;

  ToolUse tools = {};
  std::optional<std::string> schema = std::nullopt;  // of what the answer is JSON
  std::string schema_field = "response_format";      // where it stood, for errors

  // All but constraint, cancel and progress, which are set where it is answered; max_tokens 0: what there is room for.
  GenerateOptions generate = {};
  bool thinks = true;  // otherwise its thinking ends as it begins
  std::size_t choices = 1;

  bool has_tools() const noexcept { return !tools.list.empty(); }
  bool may_call() const noexcept { return has_tools() && tools.rule.choice != ToolChoice::kNone; }
};

// How it went.
struct Outcome {
  std::vector<Finish> choices;
  std::size_t prompt_tokens = 0;
  std::size_t cached_tokens = 0;  // of them, that needn't be read
  double prompt_seconds = 0;
  double generate_seconds = 0;

  std::size_t generated() const noexcept;
  std::size_t reasoning() const noexcept;
  std::size_t drafted() const noexcept;   // tokens that were guessed and read
  std::size_t accepted() const noexcept;  // of them, that came true
};

// "chatcmpl-" and what no other answer has.
std::string new_id(std::string_view front);

// Says an answer in a dialect's words, as a stream or whole. One call at a time: pieces of the choices as they are
// made, and last finish() or fail(). A call that returns false ends the work: its client has gone.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;

  virtual void begin() {}  // it is to be answered, sooner or later
  virtual bool progress(std::size_t /*tokens*/, std::size_t /*of*/) { return true; }  // of reading the prompt
  virtual bool piece(std::size_t choice, const Piece& piece) = 0;
  virtual void finish(const Outcome& outcome) = 0;
  virtual void fail(const ApiError& error) = 0;
};

// What a piece is to a client. Calls are text where the request has no tools for them, and so is what can't be read as
// one.
enum class Saying { kText, kThinking, kCall };
Saying saying(const Piece& piece, bool has_tools) noexcept;

// Why an answer ended, in the words that most dialects share.
const char* finish_word(const Finish& finish) noexcept;  // "stop", "length", "tool_calls"

}  // namespace lfm::serve
