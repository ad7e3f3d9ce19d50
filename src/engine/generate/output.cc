#include "engine/generate/output.h"

#include "base/float_mode.h"

namespace lfm::engine {

void Output::read_answer(std::span<const TokenId> tokens) {
  answer_.emplace(tokenizer_);
  answer_->resume(tokens);
}

void Output::push(TokenId token, const Logprobs& logprobs) {
  tokens_.push_back(token);
  if (logprobs.wanted()) {
    logprobs_.push_back(logprobs.chosen());
    top_.insert(top_.end(), logprobs.top().begin(), logprobs.top().end());
  }
  push_bytes(token);
}

void Output::push_bytes(TokenId token) {
  if (!answer_) return push_text(tokenizer_.piece(token));
  const std::size_t before = answer_->thinking_tokens();
  const std::size_t malformed = answer_->malformed();
  answer_->push(token, *this);
  finish_.reasoning_tokens += answer_->thinking_tokens() - before;
  finish_.malformed_calls += answer_->malformed() - malformed;
}

void Output::keep_tag() {
  if (answer_) answer_->drop_tag();
}

void Output::flush() {
  if (answer_) {
    const std::size_t malformed = answer_->malformed();
    answer_->finish(*this);
    finish_.malformed_calls += answer_->malformed() - malformed;
    finish_.thinking_open = answer_->thinking();
  }
  flush_text();
}

// Of a structured answer.
void Output::piece(const Piece& piece) {
  if (piece.kind == PieceKind::kText) return push_text(piece.text);
  if (stopped()) return;
  flush_text();
  give(piece);
}

void Output::push_text(std::string_view text) {
  if (stopped()) return;
  passed_.clear();
  stops_.push(text, passed_);
  text_.clear();
  utf8_.push(passed_, text_);
  give({text_});
}

void Output::flush_text() {
  passed_.clear();
  stops_.flush(passed_);
  text_.clear();
  utf8_.push(passed_, text_);
  utf8_.flush(text_);
  give({text_});
}

void Output::give(Piece piece) {
  if (piece.text.empty() || !wanted_) return;
  if (piece.kind == PieceKind::kText) finish_.text_bytes += piece.text.size();
  if (piece.kind == PieceKind::kToolCall) ++finish_.tool_calls;
  piece.tokens = tokens_;
  piece.logprobs = logprobs_;
  piece.top_logprobs = top_;
  if (callback_) {
    const base::CallersFloatMode mode;
    wanted_ = callback_(piece);
  }
  tokens_.clear();
  logprobs_.clear();
  top_.clear();
}

}  // namespace lfm::engine
