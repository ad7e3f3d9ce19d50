// What becomes of a generation's tokens on the way to the application.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/answer_reader.h"
#include "chat/piece_sink.h"
#include "engine/generate/logprobs.h"
#include "engine/generate/stop.h"
#include "lfm/session.h"
#include "text/tokenizer.h"
#include "text/utf8_stream.h"

namespace lfm::engine {

// Plain: bytes, stop strings, whole code points. Structured: the parts of an answer, and stop strings in its text.
class Output : private chat::PieceSink {
 public:
  // All outlive it; `callback` may be empty.
  Output(const text::Tokenizer& tokenizer, StopMatcher stops, const std::function<bool(const Piece&)>& callback,
         Finish& finish)
      : tokenizer_(tokenizer), stops_(std::move(stops)), callback_(callback), finish_(finish) {}

  // Structured from here on: an answer of which the session holds this already.
  void read_answer(std::span<const TokenId> tokens);

  void push(TokenId token, const Logprobs& logprobs);
  void keep_tag();  // what is held back of the end of thinking isn't to be handed out
  void flush();     // what was held back; nothing once it has stopped or isn't wanted

  // Whether a stop string begins in the last `bytes` bytes, or may do so.
  bool stop_begins_within(std::size_t bytes) const noexcept { return stops_.held() > 0 && stops_.held() <= bytes; }

  bool stopped() const noexcept { return stops_.stopped_by().has_value(); }
  bool wanted() const noexcept { return wanted_; }  // by the callback
  const chat::AnswerReader* answer() const noexcept { return answer_ ? &*answer_ : nullptr; }

 private:
  void piece(const Piece& piece) override;
  void push_bytes(TokenId token);
  void push_text(std::string_view text);
  void flush_text();
  void give(Piece piece);

  const text::Tokenizer& tokenizer_;
  StopMatcher stops_;
  const std::function<bool(const Piece&)>& callback_;
  Finish& finish_;
  std::optional<chat::AnswerReader> answer_;
  text::Utf8Stream utf8_;
  std::string passed_;
  std::string text_;
  std::vector<TokenId> tokens_;  // since the last piece, and what is known of them
  std::vector<float> logprobs_;
  std::vector<TokenLogprob> top_;
  bool wanted_ = true;
};

}  // namespace lfm::engine
