// Strings of Python and JSON.
#include <cstdint>
#include <optional>

#include "chat/quotes.h"
#include "chat/value.h"
#include "text/utf8.h"

namespace lfm::chat {
namespace {

std::optional<std::uint32_t> digit_of(char c, std::uint32_t base) {
  std::uint32_t value = base;
  if (c >= '0' && c <= '9') value = static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') value = static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') value = static_cast<std::uint32_t>(c - 'A' + 10);
  if (value >= base) return std::nullopt;
  return value;
}

bool read_hex(Reader& in, int digits, std::uint32_t& value) {
  value = 0;
  for (int i = 0; i < digits; ++i, in.skip(1)) {
    const auto digit = digit_of(in.peek(), 16);
    if (!digit || value >> 28 != 0) return in.expected("a hexadecimal digit");
    value = value * 16 + *digit;
  }
  return true;
}

// After "\u" or "\U". Two halves of a surrogate pair are one character.
bool read_unicode(Reader& in, int digits, std::string& out) {
  std::uint32_t value = 0;
  if (!read_hex(in, digits, value)) return false;
  if (value >= 0xd800 && value < 0xdc00 && in.looking_at("\\u")) {
    std::uint32_t low = 0;
    in.skip(2);
    if (!read_hex(in, 4, low)) return false;
    if (low < 0xdc00 || low >= 0xe000) return in.fail("half a surrogate pair");
    value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
  }
  if (value >= 0xd800 && value < 0xe000) return in.fail("half a surrogate pair");
  if (value > 0x10ffff) return in.fail("no character of Unicode");
  text::append_utf8(value, out);
  return true;
}

// Up to three octal digits.
void read_octal(Reader& in, std::string& out) {
  std::uint32_t value = 0;
  for (int i = 0; i < 3; ++i, in.skip(1)) {
    const auto digit = digit_of(in.peek(), 8);
    if (!digit) break;
    value = value * 8 + *digit;
  }
  text::append_utf8(value, out);
}

// After a backslash, with something behind it.
bool read_escape(Reader& in, Escapes escapes, std::string& out) {
  static constexpr std::string_view kNames = "abfnrtv\\'\"\n";
  static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";  // a backslash before a new line is nothing
  const char c = in.peek();
  if (digit_of(c, 8)) {
    read_octal(in, out);
    return true;
  }
  if (c == 'N') return in.fail("characters by name aren't read");
  in.skip(1);
  if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
    out += kMeanings.substr(i, 1);
    return true;
  }
  if (c == 'u') return read_unicode(in, 4, out);
  if (c == 'U') return read_unicode(in, 8, out);
  if (c == 'x') {
    std::uint32_t value = 0;
    if (!read_hex(in, 2, value)) return false;
    text::append_utf8(value, out);
    return true;
  }
  if (c != '/' || escapes == Escapes::kPython) out += '\\';
  out += c;
  return true;
}

// In an f-string a brace fills something in, unless it is there twice, which is one brace.
bool read_brace(Reader& in, std::string& out) {
  const char brace = in.peek();
  in.skip(1);
  if (!in.take(brace)) return in.fail("a string that fills something in");
  out += brace;
  return true;
}

// Whether what stands between two quotes is an operator, so that they may be of two strings.
bool is_operator(Reader in) {
  in.skip_space();
  if (!in.take('+') && !in.take('%') && !in.take('*')) return false;
  in.skip_space();
  return in.peek() == '"' || in.peek() == '\'';
}

// Whether the quote here ends the string that has this content until now, and where that can't be known, a problem.
bool ends_string(Reader& in, std::string_view end, Place place, std::string_view content) {
  if (!in.looking_at(end)) return false;
  if (!in.quotes_allowed() || end.size() > 1) return true;
  Reader ahead = in;
  ahead.skip(1);
  Ending ending = ending_of(ahead, place);
  const bool quotes = content.find(end) != std::string_view::npos;
  if (ending == Ending::kEnd && quotes && !is_balanced(content)) ending = Ending::kUnclear;
  if (is_operator(ahead)) ending = Ending::kUnclear;
  if (ending == Ending::kUnclear) in.fail("a quote of which it isn't clear whether it ends the string");
  return ending == Ending::kEnd;
}

// One literal. Raw ones keep their backslashes, though a quote behind one doesn't end them.
bool read_literal(Reader& in, Escapes escapes, Place place, std::string& out) {
  bool raw = false;
  bool formatted = false;
  while (in.peek() != '\'' && in.peek() != '"') {
    const char prefix = static_cast<char>(in.peek() | 0x20);
    if (prefix != 'r' && prefix != 'u' && prefix != 'f') return in.expected("a string of text");
    raw = raw || prefix == 'r';
    formatted = formatted || prefix == 'f';
    in.skip(1);
  }
  if (formatted) in.mended("an f-string");
  const char quote = in.peek();
  const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
  const bool triple = in.looking_at(three);
  const std::string_view end = triple ? three : three.substr(0, 1);
  if (triple && in.quotes_allowed()) return in.fail("three quotes of which it isn't clear where the string begins");
  in.skip(end.size());
  const std::string_view all = in.rest();
  while (!ends_string(in, end, place, all.substr(0, all.size() - in.rest().size()))) {
    if (!in.problem().empty()) return false;
    if (in.at_end()) return in.fail("a string without an end");
    const char c = in.peek();
    if (formatted && (c == '{' || c == '}')) {
      if (!read_brace(in, out)) return false;
      continue;
    }
    in.skip(1);
    if (c != '\\' || in.at_end()) {
      out += c;
    } else if (raw) {
      out += c;
      out += in.peek();
      in.skip(1);
    } else if (!read_escape(in, escapes, out)) {
      return false;
    }
  }
  in.skip(end.size());
  return true;
}

// Whether a string begins here, be it with a prefix.
bool at_string(const Reader& in) {
  const std::string_view rest = in.rest();
  const std::size_t quote = rest.find_first_not_of("rRuUfF");
  return quote <= 2 && quote < rest.size() && (rest[quote] == '"' || rest[quote] == '\'');
}

// Takes the sign that joins two strings.
bool take_plus(Reader& in) {
  Reader ahead = in;
  if (!ahead.take('+')) return false;
  ahead.skip_space();
  if (!at_string(ahead)) return false;
  in = ahead;
  return true;
}

// Whether what looks like a string is rather what stands between two: 'x'', b='y'.
bool begins_with_delimiter(Reader in) {
  while (in.peek() != '"' && in.peek() != '\'') in.skip(1);
  in.skip(1);
  in.skip_space();
  return !in.at_end() && std::string_view(",)]}:").find(in.peek()) != std::string_view::npos;
}

}  // namespace

bool read_string(Reader& reader, Escapes escapes, Place place, std::string& out) {
  for (;;) {
    if (!read_literal(reader, escapes, place, out)) return false;
    const bool apart = !at_string(reader);
    reader.skip_space();
    if (escapes == Escapes::kPython && take_plus(reader)) continue;
    if (!at_string(reader)) return true;
    if (!apart || begins_with_delimiter(reader)) return reader.fail("a quote within a string");
  }
}

}  // namespace lfm::chat
