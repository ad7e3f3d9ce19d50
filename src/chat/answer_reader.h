// A model's answer, token by token, to pieces: thinking, text and calls, each without its tags.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "chat/call_stream.h"
#include "chat/piece_sink.h"
#include "chat/structure.h"
#include "text/tokenizer.h"
#include "text/utf8_stream.h"

namespace lfm::chat {

// What an answer looks like; everything but text is optional, and may come more than once where it has tokens:
//
//   <think> thinking </think> text <|tool_call_start|> [calls] <|tool_call_end|> text
//
// Tags are tokens where the vocabulary has them, and then text that spells them is text. Where it doesn't, thinking is
// told by its tags' text, at the beginning of the answer alone, and there are no calls. White space before the answer's
// first text is held back until there is some, and left out behind thinking. Other control tokens are left out.
class AnswerReader {
 public:
  // The tokenizer outlives it.
  explicit AnswerReader(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer), structure_(tokenizer) {}

  void push(TokenId token, PieceSink& sink);
  void finish(PieceSink& sink);  // the answer is over: what was held back comes out

  // Reads what a session holds of an answer that is to go on: from the last <|im_start|> that isn't closed. The sink
  // has what was said of it, but for what is still held back.
  void resume(std::span<const TokenId> tokens, PieceSink& sink);
  void resume(std::span<const TokenId> tokens);  // where nobody listens

  bool thinking() const noexcept { return state_ == State::kThinking; }
  std::size_t held_tag() const noexcept { return thinking() ? held_.size() : 0; }  // bytes of the end of thinking
  void drop_tag() noexcept {
    if (thinking()) held_.clear();
  }
  bool silent() const noexcept { return !spoke_ && calls() == 0 && malformed() == 0; }  // neither text nor a call came
  bool in_call() const noexcept { return state_ == State::kCall; }
  std::size_t thinking_tokens() const noexcept { return thinking_tokens_; }  // with the tags
  std::size_t said_tokens() const noexcept { return said_tokens_; }          // behind the thinking
  std::size_t calls() const noexcept { return calls_.calls(); }
  std::size_t malformed() const noexcept { return calls_.malformed(); }
  const Structure& structure() const noexcept { return structure_; }

 private:
  enum class State { kText, kThinking, kCall };

  bool tags_are_text() const noexcept { return structure_.think_start == text::Vocabulary::kNone; }
  void enter(State state, PieceSink& sink);
  void release(PieceSink& sink);
  bool is_echo(std::string_view text);
  void take_rest(PieceSink& sink);
  void take_bytes(std::string_view bytes, PieceSink& sink);
  void route(PieceSink& sink);
  void take_text(std::string_view text, PieceSink& sink);
  void take_thinking(std::string_view text, PieceSink& sink);
  void give(std::string_view text, PieceSink& sink);

  const text::Tokenizer& tokenizer_;
  Structure structure_;
  State state_ = State::kText;
  bool fresh_ = true;     // no text has come, or none since the thinking, but white space
  bool thought_ = false;  // there was thinking
  bool spoke_ = false;    // there was text
  text::Utf8Stream utf8_;
  std::string whole_;  // code points that are complete
  std::string held_;   // white space, or the beginning of a tag in text
  CallStream calls_;
  bool echoing_ = false;  // what came behind a block of calls may be the block once more, as some models say it
  std::string echo_;      // what came
  std::size_t thinking_tokens_ = 0;
  std::size_t said_tokens_ = 0;
};

}  // namespace lfm::chat
