#include "jinja/unicode.h"

#include <algorithm>
#include <array>

#include "text/utf8.h"

namespace lfm::jinja {
namespace {

bool all_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct Range {
  char32_t first, last;
};

// Categories Cf, Co, Cs, Zl, Zp and Zs, but for the blank.
constexpr std::array<Range, 27> kUnprintable = {{
    {0x80, 0xa0},       {0xad, 0xad},         {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},       {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},     {0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},
    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},     {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},   {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0xffffd},
    {0xffffe, 0xfffff}, {0x100000, 0x10ffff},
}};

// Capitals `first` to `last`, every `step`-th of which has its small letter `by` behind it.
struct Letters {
  char32_t first, last;
  std::uint32_t step, by;
};

constexpr std::array<Letters, 22> kLetters = {{
    {'A', 'Z', 1, 32},      {0xc0, 0xd6, 1, 32},     {0xd8, 0xde, 1, 32},   {0x100, 0x12e, 2, 1},
    {0x132, 0x136, 2, 1},   {0x139, 0x147, 2, 1},    {0x14a, 0x176, 2, 1},  {0x179, 0x17d, 2, 1},
    {0x386, 0x386, 1, 38},  {0x388, 0x38a, 1, 37},   {0x38c, 0x38c, 1, 64}, {0x38e, 0x38f, 1, 63},
    {0x391, 0x3a1, 1, 32},  {0x3a3, 0x3ab, 1, 32},   {0x400, 0x40f, 1, 80}, {0x410, 0x42f, 1, 32},
    {0x460, 0x480, 2, 1},   {0x48a, 0x4be, 2, 1},    {0x4d0, 0x52e, 2, 1},  {0x531, 0x556, 1, 48},
    {0x1e00, 0x1e94, 2, 1}, {0xff21, 0xff3a, 1, 32},
}};

bool contains(std::string_view chars, std::string_view one) noexcept {
  for (std::size_t at = 0; at < chars.size(); at += length_at(chars, at)) {
    if (chars.substr(at, length_at(chars, at)) == one) return true;
  }
  return false;
}

bool is_skipped(std::string_view text, std::size_t at, const std::string_view* chars) noexcept {
  const text::CodePoint c = text::decode_utf8(text, at);
  if (chars == nullptr) return c.form == text::Utf8Form::kWhole && is_space(c.value);
  return contains(*chars, text.substr(at, c.length));
}

}  // namespace

std::size_t length_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]) < 0x80 ? 1 : text::decode_utf8(text, at).length;
}

std::size_t code_points(std::string_view text) noexcept {
  if (all_ascii(text)) return text.size();
  std::size_t n = 0;
  for (std::size_t at = 0; at < text.size(); at += length_at(text, at)) ++n;
  return n;
}

std::size_t offset_of(std::string_view text, std::size_t n) noexcept {
  if (all_ascii(text)) return std::min(n, text.size());
  std::size_t at = 0;
  for (; n > 0 && at < text.size(); --n) at += length_at(text, at);
  return at;
}

bool is_space(char32_t c) noexcept {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_printable(char32_t c) noexcept {
  if (c < 0x80) return c >= 0x20 && c != 0x7f;
  return std::none_of(kUnprintable.begin(), kUnprintable.end(),
                      [c](const Range& range) { return c >= range.first && c <= range.last; });
}

char32_t to_lower(char32_t c) noexcept {
  for (const Letters& l : kLetters) {
    if (c >= l.first && c <= l.last && (c - l.first) % l.step == 0) return c + l.by;
  }
  return c == 0x178 ? 0xff : c;
}

char32_t to_upper(char32_t c) noexcept {
  for (const Letters& l : kLetters) {
    if (c >= l.first + l.by && c <= l.last + l.by && (c - l.first - l.by) % l.step == 0) return c - l.by;
  }
  if (c == 0x3c2) return 0x3a3;
  return c == 0xff ? 0x178 : c;
}

bool is_cased(char32_t c) noexcept {
  return to_lower(c) != c || to_upper(c) != c || c == 0xdf;
}

void append_utf8(char32_t c, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xc0 | (c >> 6)), put(0x80 | (c & 63));
  if (c < 0x10000) return put(0xe0 | (c >> 12)), put(0x80 | ((c >> 6) & 63)), put(0x80 | (c & 63));
  put(0xf0 | (c >> 18)), put(0x80 | ((c >> 12) & 63)), put(0x80 | ((c >> 6) & 63)), put(0x80 | (c & 63));
}

std::size_t skip_left(std::string_view text, const std::string_view* chars) noexcept {
  std::size_t at = 0;
  while (at < text.size() && is_skipped(text, at, chars)) at += length_at(text, at);
  return at;
}

std::size_t skip_right(std::string_view text, const std::string_view* chars) noexcept {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;  // of the code point that ends here
    for (std::size_t back = 2; back <= 4 && back <= end; ++back) {
      if (length_at(text, end - back) == back && (static_cast<unsigned char>(text[end - 1]) & 0xc0) == 0x80) {
        begin = end - back;
      }
    }
    if (!is_skipped(text, begin, chars)) break;
    end = begin;
  }
  return end;
}

}  // namespace lfm::jinja
