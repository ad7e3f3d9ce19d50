#include "engine/generate/output.h"

#include "base/float_mode.h"

namespace lfm::engine {

void Output::read_answer(std::span<const TokenId> tokens) {
  answer_.emplace(tokenizer_);
  answer_->resume(tokens);
}

void Output::push(TokenId token) {
  if (!answer_) return push_text(tokenizer_.piece(token));
  const std::size_t before = answer_->thinking_tokens();
  const std::size_t malformed = answer_->malformed();
  answer_->push(token, *this);
  finish_.reasoning_tokens += answer_->thinking_tokens() - before;
  finish_.malformed_calls += answer_->malformed() - malformed;
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

void Output::give(const Piece& piece) {
  if (piece.text.empty() || !wanted_) return;
  if (piece.kind == PieceKind::kText) finish_.text_bytes += piece.text.size();
  if (piece.kind == PieceKind::kToolCall) ++finish_.tool_calls;
  if (!callback_) return;
  const base::CallersFloatMode mode;
  wanted_ = callback_(piece);
}

}  // namespace lfm::engine
