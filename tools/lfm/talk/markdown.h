// Markdown made readable on a terminal while it streams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "talk/wrapped_text.h"

namespace lfm::cli {

// Takes a text in pieces, cut anywhere between characters, and hands out what can be shown of it: the same text in all,
// however it is cut. Bold, italic, code, headings, lists, quotes, rules and blocks of code get looks, and the marks
// that said so go; lines are broken between words, but not those of code and of tables. A mark goes only once its other
// half has come in the same line, so that "**kwargs" and "2 * 3" stay as they are. A backslash goes from in front of
// what would else be a mark. Links, HTML and formulas are left alone.
class Markdown {
 public:
  // Columns of the terminal, 0 for lines of any length. Without looks the marks stay too.
  Markdown(std::size_t columns, bool looks) : looks_(looks), out_(columns, looks) {}

  std::string show(std::string_view text);
  std::string finish();  // what is left at the end

 private:
  enum class State { kLineStart, kText, kRaw, kFenceHead, kCodeStart, kCodeLine };

  void step(std::string_view character);
  void line_start(std::string_view character);
  void code_start(std::string_view character);
  void begin_plain();
  void inline_text(std::string_view character);
  void inside(std::string_view content, std::uint8_t look);
  void resolve(bool line_ends);
  void end_line();

  const bool looks_;
  WrappedText out_;
  State state_ = State::kLineStart;
  std::string head_;    // of a line, until it is known what it is
  std::string fence_;   // that closes the block of code
  std::string held_;    // from a mark on whose other half may come
  bool escapes_ = false;  // a backslash has come, and nothing behind it yet
  bool in_path_ = false;  // a backslash stands in this word
  std::string before_;  // the character in front of what is held or comes
  std::uint8_t look_ = kNormal;
};

}  // namespace lfm::cli
