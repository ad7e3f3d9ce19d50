#include "talk/markdown.h"

#include <algorithm>
#include <utility>

namespace lfm::cli {
namespace {

constexpr std::size_t kMostHeld = 400;  // bytes between a mark and its other half

bool is_of_word(std::string_view character) {
  if (character.empty()) return false;
  const char c = character[0];
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// What a backslash takes the meaning from; in front of others, and behind such a one in the same word,
// it is a formula's, a path's or its own.
bool is_mark(std::string_view character) {
  constexpr std::string_view kMarks = "*_`#>-+~|.!";
  return character.size() == 1 && kMarks.find(character[0]) != std::string_view::npos;
}

std::size_t run_length(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && text[end] == text[at]) ++end;
  return end - at;
}

enum class Line { kUnknown, kPlain, kHeading, kBullet, kNumber, kQuote, kTable, kFence, kRule };

// What a line is, from its beginning; a line break is part of it.
Line kind_of(std::string_view head) {
  std::size_t at = std::min(head.find_first_not_of(' '), head.size());
  if (at > 12) return Line::kPlain;
  if (at == head.size()) return Line::kUnknown;
  const char c = head[at];
  const std::size_t run = run_length(head, at);
  const char next = at + run < head.size() ? head[at + run] : '\0';
  switch (c) {
    case '#':
      return run > 6 ? Line::kPlain : next == '\0' ? Line::kUnknown : next == ' ' ? Line::kHeading : Line::kPlain;
    case '>':
      return run > 1 || next != '\0' ? Line::kQuote : Line::kUnknown;
    case '|':
      return Line::kTable;
    case '`':
    case '~':
      return run >= 3 ? Line::kFence : next == '\0' ? Line::kUnknown : Line::kPlain;
    case '-':
    case '+':
    case '*':
    case '_':
      if (next == '\0') return run > 80 ? Line::kPlain : Line::kUnknown;
      if (next == ' ' && run == 1 && c != '_') return Line::kBullet;
      return next == '\n' && run >= 3 && c != '+' ? Line::kRule : Line::kPlain;
    default:
      break;
  }
  const std::size_t digits = std::min(head.find_first_not_of("0123456789", at), head.size()) - at;
  if (digits == 0 || digits > 9) return Line::kPlain;
  at += digits;
  if (at == head.size()) return Line::kUnknown;
  if (head[at] != '.' && head[at] != ')') return Line::kPlain;
  if (at + 1 == head.size()) return Line::kUnknown;
  return head[at + 1] == ' ' ? Line::kNumber : Line::kPlain;
}

// The end of a span that `held` begins with, or how it is known that there is none.
struct Span {
  enum { kPending, kNone, kFound } end = kPending;
  std::size_t close = 0;  // where the closing mark begins
};

Span code_span(std::string_view held, std::size_t run, bool ends) {
  for (std::size_t at = run; at < held.size();) {
    if (held[at] != '`') {
      ++at;
      continue;
    }
    const std::size_t closing = run_length(held, at);
    if (at + closing == held.size() && !ends) return {};
    if (closing == run) return {Span::kFound, at};
    at += closing;
  }
  return {};
}

Span emphasis(std::string_view held, std::size_t run, std::string_view before, bool ends) {
  const bool opens = held[run] != ' ' && held[run] != '\n' && !is_of_word(before);
  if (run > (held[0] == '_' ? 1 : 3) || !opens) return {Span::kNone};  // __init__ is a name
  for (std::size_t at = run; at < held.size();) {
    const char c = held[at];
    if (c == '\\') {
      at += 2;
      continue;
    }
    const std::size_t length = c == '`' || c == held[0] ? run_length(held, at) : 1;
    if (c == '`') {
      const Span code = code_span(held.substr(at), length, ends);
      if (code.end != Span::kFound) return {};
      at += code.close + length;
      continue;
    }
    if (c == held[0]) {
      if (at + length == held.size() && !ends) return {};
      const bool closes = length == run && held[at - 1] != ' ' && (c == '*' || !is_of_word(held.substr(at + length)));
      if (closes) return {Span::kFound, at};
    }
    at += length;
  }
  return {};
}

// What begins with marks, from the first of them. `ends`: nothing comes behind it.
Span span_of(std::string_view held, std::string_view before, bool ends) {
  const std::size_t run = run_length(held, 0);
  if (run == held.size()) return {};
  return held[0] == '`' ? code_span(held, run, ends) : emphasis(held, run, before, ends);
}

}  // namespace

std::string Markdown::show(std::string_view text) {
  each_character(text, [this](std::string_view character) { step(character); });
  return out_.take();
}

std::string Markdown::finish() {
  if (state_ == State::kCodeStart) out_.put_all(std::exchange(head_, {}), kCode);
  if (state_ == State::kLineStart) begin_plain();
  while (!held_.empty()) resolve(true);
  if (std::exchange(escapes_, false)) out_.put("\\", look_);
  out_.finish();
  return out_.take();
}

void Markdown::step(std::string_view character) {
  if (!looks_) return out_.put(character, kNormal);
  switch (state_) {
    case State::kLineStart:
      return line_start(character);
    case State::kText:
      return inline_text(character);
    case State::kRaw:
    case State::kFenceHead:
      out_.put(character, state_ == State::kRaw ? kNormal : kFaint);
      if (character == "\n") end_line();
      return;
    case State::kCodeStart:
      return code_start(character);
    case State::kCodeLine:
      out_.put(character, kCode);
      if (character == "\n") end_line();
      return;
  }
}

void Markdown::line_start(std::string_view character) {
  head_ += character;
  const Line line = kind_of(head_);
  if (line == Line::kUnknown) return;
  if (line == Line::kPlain) return begin_plain();
  const std::string head = std::exchange(head_, {});
  const std::size_t mark = head.find_first_not_of(' ');
  state_ = State::kText;
  switch (line) {
    case Line::kHeading:
      look_ = kBold;
      break;
    case Line::kBullet:
      out_.put_all(head.substr(0, mark) + "• ", kNormal);
      out_.hang();
      break;
    case Line::kNumber:
      out_.put_all(head, kNormal);
      out_.hang();
      break;
    case Line::kQuote:
      out_.put_all("│ ", kFaint);
      out_.hang();
      state_ = State::kLineStart;
      if (head.back() != ' ') line_start(head.substr(mark + 1));
      break;
    case Line::kTable:
      out_.set_wrapping(false);
      out_.put_all(head, kNormal);
      state_ = State::kRaw;
      break;
    case Line::kFence:
      out_.set_wrapping(false);
      out_.put_all(head, kFaint);
      fence_ = head.substr(mark);
      state_ = State::kFenceHead;
      break;
    default:  // a rule
      for (int i = 0; i < 20; ++i) out_.put("─", kFaint);
      out_.put("\n", kNormal);
      end_line();
      break;
  }
}

void Markdown::begin_plain() {
  state_ = State::kText;
  const std::string head = std::exchange(head_, {});
  each_character(head, [this](std::string_view character) { inline_text(character); });
}

// A line of a block of code may be the one that ends it.
void Markdown::code_start(std::string_view character) {
  head_ += character;
  const std::size_t spaces = std::min(head_.find_first_not_of(' '), head_.size());
  const std::size_t run = spaces < head_.size() && head_[spaces] == fence_[0] ? run_length(head_, spaces) : 0;
  const std::size_t behind = std::min(head_.find_first_not_of(' ', spaces + run), head_.size());
  const bool could_close = spaces <= 3 && (behind == spaces + run || run >= fence_.size());
  const bool closes = could_close && run >= fence_.size() && head_.substr(behind) == "\n";
  if (!closes && could_close && behind == head_.size()) return;
  out_.put_all(head_, closes ? kFaint : kCode);
  const bool line_ends = std::exchange(head_, {}).back() == '\n';
  if (closes) fence_.clear();
  state_ = State::kCodeLine;
  if (line_ends) end_line();
}

void Markdown::inline_text(std::string_view character) {
  if (!held_.empty()) {
    held_ += character;
    return resolve(character == "\n");
  }
  if (std::exchange(escapes_, false)) {
    const bool mark = is_mark(character) && !in_path_ && before_ != ":";
    if (!mark) out_.put("\\", look_);
    in_path_ |= !mark;
    before_ = mark ? character : "\\";
    if (mark || character == "\\") return out_.put(character, look_);
  }
  if (character == "\\") {
    escapes_ = true;
    return;
  }
  if (character == "*" || character == "_" || character == "`") {
    held_ = character;
    return;
  }
  out_.put(character, look_);
  before_ = character;
  if (character == " " || character == "\n") in_path_ = false;
  if (character == "\n") end_line();
}

// What is held, once it is known what it is.
void Markdown::resolve(bool line_ends) {
  const Span span = span_of(held_, before_, line_ends);
  if (span.end == Span::kPending && !line_ends && held_.size() < kMostHeld) return;
  const std::string held = std::exchange(held_, {});
  const std::size_t run = run_length(held, 0);
  std::size_t rest = run;
  if (span.end == Span::kFound) {
    inside(std::string_view(held).substr(run, span.close - run), held[0] == '`' ? kCode
                                                                 : run == 1     ? kItalic
                                                                 : run == 2     ? kBold
                                                                                : kBold | kItalic);
    rest = span.close + run;
  } else {
    out_.put_all(std::string_view(held).substr(0, run), look_);
  }
  before_ = held[0];
  each_character(std::string_view(held).substr(rest), [this](std::string_view c) { inline_text(c); });
}

// What stands between two marks.
void Markdown::inside(std::string_view content, std::uint8_t look) {
  if (look == kCode) return out_.put_all(content, look_ | look);
  const std::uint8_t around = std::exchange(look_, static_cast<std::uint8_t>(look_ | look));
  before_.clear();
  each_character(content, [this](std::string_view character) { inline_text(character); });
  while (!held_.empty()) resolve(true);
  look_ = around;
}

void Markdown::end_line() {
  look_ = kNormal;
  before_.clear();
  state_ = fence_.empty() ? State::kLineStart : State::kCodeStart;
  out_.set_wrapping(fence_.empty());
}

}  // namespace lfm::cli
