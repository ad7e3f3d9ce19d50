#include "text/pretokenizer.h"

#include "text/unicode.h"
#include "text/utf8.h"

namespace lfm::text {
namespace {

// One character of the text, with its class; past the end, a character of no length and of none of the classes.
struct Char {
  std::size_t begin = 0;
  std::size_t end = 0;
  char32_t value = 0;
  bool exists = false;
  CharClass kind = CharClass::kOther;

  bool is(CharClass wanted) const { return exists && kind == wanted; }
  bool is_line_break() const { return exists && (value == U'\r' || value == U'\n'); }
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Char at(std::size_t begin) const noexcept {
    if (begin >= text_.size()) return {begin, begin, 0, false, CharClass::kOther};
    const CodePoint point = decode_utf8(text_, begin);
    return {begin, begin + point.length, point.value, true, char_class(point.value)};
  }

  std::size_t skip(std::size_t begin, CharClass kind) const noexcept {
    Char c = at(begin);
    while (c.is(kind)) c = at(c.end);
    return c.begin;
  }

  std::size_t skip_line_breaks(std::size_t begin) const noexcept {
    while (begin < text_.size() && (text_[begin] == '\r' || text_[begin] == '\n')) ++begin;
    return begin;
  }

 private:
  std::string_view text_;
};

// The end of 's, 't, 're, 've, 'm, 'll or 'd in either case, or `quote.begin` where there is none. Unicode's simple
// case folding adds one spelling to ASCII's: U+017F, the long s.
std::size_t contraction_end(const Scanner& scan, const Char& quote) noexcept {
  if (quote.value != U'\'') return quote.begin;
  constexpr char32_t kLongS = U'\u017F';
  const auto lower = [](const Char& c) { return c.value >= U'A' && c.value <= U'Z' ? c.value + 32 : c.value; };
  const Char first = scan.at(quote.end);
  switch (lower(first)) {
    case U's':
    case kLongS:
    case U't':
    case U'm':
    case U'd':
      return first.end;
    case U'r':
    case U'v':
    case U'l': {
      const Char second = scan.at(first.end);
      return lower(second) == (lower(first) == U'l' ? U'l' : U'e') ? second.end : quote.begin;
    }
    default:
      return quote.begin;
  }
}

std::size_t number_end(const Scanner& scan, Char c) noexcept {
  for (int digits = 0; digits < 3 && c.is(CharClass::kNumber); ++digits) c = scan.at(c.end);
  return c.begin;
}

// `c` is whitespace that no letter or symbol takes along: up to the last line break of the run if it has one; else all
// of it but its last character, which the next piece may want, unless the text ends here or that is all there is.
std::size_t whitespace_end(const Scanner& scan, Char c) noexcept {
  const std::size_t begin = c.begin;
  std::size_t after_line_break = begin;
  std::size_t last = begin;
  for (; c.is(CharClass::kSpace); c = scan.at(c.end)) {
    last = c.begin;
    if (c.is_line_break()) after_line_break = c.end;
  }
  if (after_line_break > begin) return after_line_break;
  return c.exists && last > begin ? last : c.begin;
}

}  // namespace

std::size_t pretoken_end(std::string_view text, std::size_t begin) noexcept {
  const Scanner scan(text);
  const Char c = scan.at(begin);
  if (const std::size_t end = contraction_end(scan, c); end > begin) return end;

  if (c.is(CharClass::kLetter)) return scan.skip(c.end, CharClass::kLetter);
  if (c.is(CharClass::kNumber)) return number_end(scan, c);
  const Char next = scan.at(c.end);
  if (next.is(CharClass::kLetter) && !c.is_line_break()) return scan.skip(next.end, CharClass::kLetter);

  if (c.is(CharClass::kOther)) return scan.skip_line_breaks(scan.skip(c.end, CharClass::kOther));
  if (c.value == U' ' && next.is(CharClass::kOther)) {
    return scan.skip_line_breaks(scan.skip(next.end, CharClass::kOther));
  }
  return whitespace_end(scan, c);
}

}  // namespace lfm::text
