#include "constrain/regex/spelling.h"

#include <algorithm>

namespace lfm::constrain {
namespace {

constexpr std::string_view kNamed = "\b\f\n\r\t";
constexpr std::string_view kNames = "bfnrt";
constexpr char kHex[] = "0123456789abcdef";

int utf8_length(std::uint32_t c) {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

unsigned char utf8_byte(std::uint32_t c, int length, int at) {
  const std::uint32_t bits = c >> (6 * (length - 1 - at));
  if (at > 0) return static_cast<unsigned char>(0x80 | (bits & 0x3f));
  static constexpr std::uint32_t kLead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
  return static_cast<unsigned char>(kLead[length] | bits);
}

void add_utf8(RegexPool& pool, std::uint32_t first, std::uint32_t last, std::vector<RegexId>& out) {
  static constexpr std::uint32_t kEnds[] = {0x7f, 0x7ff, 0xffff};
  for (const std::uint32_t end : kEnds) {
    if (first <= end && last > end) {
      add_utf8(pool, first, end, out);
      return add_utf8(pool, end + 1, last, out);
    }
  }
  const int length = utf8_length(first);
  for (int i = 1; i < length; ++i) {
    const std::uint32_t mask = (1u << (6 * i)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      add_utf8(pool, first, first | mask, out);
      return add_utf8(pool, (first | mask) + 1, last, out);
    }
    if ((last & mask) != mask) {
      add_utf8(pool, first, (last & ~mask) - 1, out);
      return add_utf8(pool, last & ~mask, last, out);
    }
  }
  RegexId all = RegexPool::kEmptyText;
  for (int i = length; i-- > 0;) {
    all = pool.concat(pool.range(utf8_byte(first, length, i), utf8_byte(last, length, i)), all);
  }
  out.push_back(all);
}

bool is_plain(std::uint32_t c, const Spelling& spelling) {
  return spelling.plain || (c >= 0x20 && c != '\\' && c != static_cast<unsigned char>(spelling.quote));
}

void append_escape(std::uint32_t c, std::string& out) {
  const auto named = c < 0x80 ? kNamed.find(static_cast<char>(c)) : std::string_view::npos;
  out += '\\';
  if (named != std::string_view::npos && c < 0x20) {
    out += kNames[named];
  } else if (c < 0x20) {
    out += "u00";
    out += kHex[c >> 4];
    out += kHex[c & 15];
  } else {
    out += static_cast<char>(c);
  }
}

}  // namespace

RegexId Spelling::one_of(RegexPool& pool, const CodeSet& set) const {
  pool.effort().spend(set.size() * 128);
  std::vector<RegexId> parts;
  std::vector<std::string> escapes;
  for (const CodeRange& range : set) {
    std::uint32_t from = range.first;
    for (std::uint32_t c = from; c <= std::min(range.last, 0x7fu); ++c) {
      if (is_plain(c, *this)) continue;
      if (c > from) add_utf8(pool, from, c - 1, parts);
      from = c + 1;
      append_escape(c, escapes.emplace_back());
      if (raw_lines && (c == '\n' || c == '\t')) parts.push_back(pool.byte(static_cast<unsigned char>(c)));
    }
    if (from > range.last) continue;
    if (from < 0xd800) add_utf8(pool, from, std::min(range.last, 0xd7ffu), parts);
    if (range.last > 0xdfff) add_utf8(pool, std::max(from, 0xe000u), range.last, parts);
  }
  if (!escapes.empty()) parts.push_back(pool.one_of(std::move(escapes)));
  return pool.characters(pool.either(std::move(parts)), set);
}

void Spelling::append(std::string_view text, std::string& out) const {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || is_plain(byte, *this)) {
      out += c;
    } else {
      append_escape(byte, out);
    }
  }
}

RegexId Spelling::quoted(RegexPool& pool, RegexId content) const {
  const RegexId mark = pool.byte(static_cast<unsigned char>(quote));
  return pool.concat({mark, content, mark});
}

}  // namespace lfm::constrain
