#include "talk/wrapped_text.h"

#include <wchar.h>

#include <clocale>
#include <utility>

namespace lfm::cli {
namespace {

constexpr std::size_t kFewestColumns = 20;  // narrower terminals break lines themselves

wchar_t wide_character(std::string_view character) {
  auto code = static_cast<std::uint32_t>(static_cast<unsigned char>(character[0]));
  if (character.size() > 1) code &= 0x7Fu >> character.size();
  for (const char byte : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  return static_cast<wchar_t>(code);
}

// Of a terminal, as the C library knows it for UTF-8, whatever the program's locale is.
std::size_t width_of(std::string_view character) {
  if (character.size() == 1) return 1;
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
  if (utf8 == locale_t{}) return 1;
  const locale_t others = ::uselocale(utf8);
  const int width = ::wcwidth(wide_character(character));
  ::uselocale(others);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

WrappedText::WrappedText(std::size_t columns, bool looks) : columns_(columns), looks_(looks) {
  set_wrapping(true);
}

void WrappedText::put(std::string_view character, std::uint8_t look) {
  if (character == "\n") {
    end_word();
    gap_.clear();
    indent_ = 0;
    begun_ = false;
    return new_line();
  }
  if (character == " " || character == "\t") {
    end_word();
    begun_ = false;
    gap_.push_back({std::string(character), look});
    if (!wrapping_) end_word();
    return;
  }
  const std::size_t width = width_of(character);
  if (width == 2) {  // of writings without spaces lines end anywhere
    end_word();
    begun_ = false;
  }
  word_.push_back({std::string(character), look});
  width_ += width;
  const bool full = wrapping_ && column_ + gap_.size() + width_ > columns_;
  if (full && column_ > indent_ && !begun_) {
    gap_.clear();
    new_line();
    for (; column_ < indent_; ++column_) show(" ", kNormal);
  } else if (full) {
    begun_ = true;
  }
  if (begun_ || !wrapping_) end_word();
}

void WrappedText::put_all(std::string_view text, std::uint8_t look) {
  each_character(text, [&](std::string_view character) { put(character, look); });
}

void WrappedText::set_wrapping(bool on) {
  if (!on) end_word();
  wrapping_ = on && columns_ >= kFewestColumns;
}

void WrappedText::hang() {
  end_word();
  const std::size_t at = column_ + gap_.size();
  indent_ = at <= columns_ / 2 ? at : 0;
}

void WrappedText::end_word() {
  if (word_.empty() && wrapping_) return;
  for (const auto& [text, look] : std::exchange(gap_, {})) {
    show(text, look);
    ++column_;
  }
  for (const auto& [text, look] : std::exchange(word_, {})) show(text, look);
  column_ += std::exchange(width_, 0);
}

void WrappedText::finish() {
  end_word();
  show({}, kNormal);
}

std::string WrappedText::take() {
  return std::exchange(out_, {});
}

void WrappedText::new_line() {
  show("\n", kNormal);
  column_ = 0;
}

void WrappedText::show(std::string_view text, std::uint8_t look) {
  if (looks_ && look != shown_look_) {
    if (shown_look_ != kNormal) out_ += "\x1b[0m";
    if ((look & kBold) != 0) out_ += "\x1b[1m";
    if ((look & kFaint) != 0) out_ += "\x1b[2m";
    if ((look & kItalic) != 0) out_ += "\x1b[3m";
    if ((look & kCode) != 0) out_ += "\x1b[36m";
    shown_look_ = look;
  }
  out_ += text;
}

}  // namespace lfm::cli
