#include "talk/answer_view.h"

#include "io.h"
#include "talk/advice.h"

namespace lfm::cli {

bool AnswerView::show(const Piece& piece) {
  const bool whole = piece.kind == PieceKind::kToolCall || piece.kind == PieceKind::kMalformedCall;
  if (kind_ != piece.kind || whole) {
    if (!end() || !begin(piece.kind)) return false;
  }
  if (piece.kind == PieceKind::kReasoning && !thinking_) return true;
  const std::string text = text_.show(piece.text);
  if (!print(markdown_ ? markdown_->show(text) : text)) return false;
  if (piece.kind == PieceKind::kMalformedCall && !print("  (no call: " + shown(piece.error) + ")")) return false;
  return flush_out();
}

bool AnswerView::begin(PieceKind kind) {
  kind_ = kind;
  if (kind == PieceKind::kText) markdown_.emplace(text_style_.columns, text_style_.markdown);
  if (kind == PieceKind::kReasoning) markdown_.emplace(text_style_.columns, false);
  if (!write_out(style_of(kind))) return false;
  if (kind == PieceKind::kReasoning && !thinking_) return print("thinking...") && flush_out();
  return kind != PieceKind::kToolCall || print("-> ");
}

bool AnswerView::end() {
  if (!kind_) return true;
  const bool apart = kind_ == PieceKind::kReasoning;
  kind_.reset();
  std::string rest = text_.finish();
  if (markdown_) rest = markdown_->show(rest) + markdown_->finish();
  markdown_.reset();
  return print(rest) && write_out(style_.plain()) && (line_begins_ || print("\n")) && (!apart || print("\n"));
}

bool AnswerView::finish(const Finish& finish) {
  if (!end()) return false;
  std::string note;
  if (finish.reason == FinishReason::kCancelled) {
    note = "(stopped)";
  } else if (finish.empty() || finish.reason == FinishReason::kLength || finish.reason == FinishReason::kContextFull) {
    note = "(" + shown(finish_note(finish)) + ")";
  }
  if (note.empty()) return flush_out();
  return write_out(style_.dim()) && print(note + "\n") && write_out(style_.plain()) && flush_out();
}

bool AnswerView::print(std::string_view text) {
  if (!text.empty()) line_begins_ = text.ends_with('\n');
  return write_out(text);
}

std::string_view AnswerView::style_of(PieceKind kind) const {
  switch (kind) {
    case PieceKind::kReasoning:
      return style_.dim();
    case PieceKind::kToolCall:
      return style_.call();
    case PieceKind::kMalformedCall:
      return style_.wrong();
    case PieceKind::kText:
      break;
  }
  return "";
}

}  // namespace lfm::cli
