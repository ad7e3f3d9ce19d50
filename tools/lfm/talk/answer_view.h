// An answer as it streams, on a terminal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lfm/chat.h"
#include "talk/markdown.h"
#include "talk/style.h"
#include "talk/terminal_text.h"

namespace lfm::cli {

// Thinking stands apart from the answer and dim, calls stand on lines of their own. What the model says can't do
// anything to the terminal but show. Prints on standard output.
class AnswerView {
 public:
  AnswerView(const Style& style, bool thinking, const TextStyle& text = {})
      : style_(style), text_style_(text), thinking_(thinking) {}

  bool show(const Piece& piece);      // false: standard output is gone
  bool finish(const Finish& finish);  // ends the line, and says what is unusual about the end

 private:
  bool begin(PieceKind kind);
  bool end();
  bool print(std::string_view text);  // fit for the terminal
  std::string_view style_of(PieceKind kind) const;

  Style style_;
  TextStyle text_style_;
  bool thinking_;
  std::optional<PieceKind> kind_;  // of what is being printed
  TerminalText text_;
  std::optional<Markdown> markdown_;  // of text and thinking
  bool line_begins_ = true;
};

}  // namespace lfm::cli
