#include "jinja/strings.h"

#include <algorithm>

#include "base/try.h"
#include "jinja/unicode.h"
#include "text/utf8.h"

namespace lfm::jinja {
namespace {

// Each code point by change(code point, what to append to); bytes that are none stay.
template <typename Change>
Text changed(const Text& text, Change change) {
  Text out;
  text.runs([&](std::string_view bytes, Origin origin) {
    std::string made;
    for (std::size_t at = 0; at < bytes.size();) {
      const text::CodePoint c = text::decode_utf8(bytes, at);
      if (c.form == text::Utf8Form::kWhole) {
        change(c.value, made);
      } else {
        made += bytes.substr(at, c.length);
      }
      at += c.length;
    }
    out.append(made, origin);
  });
  return out;
}

void append_upper(char32_t c, std::string& out) {
  if (c == 0xdf) {
    out += "SS";
  } else {
    append_utf8(to_upper(c), out);
  }
}

bool ends_line(char32_t c) noexcept {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::vector<Text> split_at_space(const Text& text, std::size_t most, bool from_right) {
  std::vector<Text> out;
  const std::string_view bytes = text.bytes();
  std::size_t begin = skip_left(bytes, nullptr), end = skip_right(bytes, nullptr);
  if (begin >= bytes.size()) return out;
  const auto is_space_at = [&](std::size_t at) {
    return skip_left(bytes.substr(at, length_at(bytes, at)), nullptr) > 0;
  };
  if (from_right) {
    while (end > begin && out.size() < most) {
      std::size_t word = end;  // begins here
      for (std::size_t at = begin; at < end; at += length_at(bytes, at)) {
        if (is_space_at(at)) word = at + length_at(bytes, at);
      }
      if (word == end) word = begin;
      out.push_back(text.cut(word, end));
      end = begin + skip_right(bytes.substr(begin, word - begin), nullptr);
    }
    if (end > begin) out.push_back(text.cut(0, end));  // with the space in front of it
    std::reverse(out.begin(), out.end());
    return out;
  }
  while (begin < end) {
    std::size_t at = begin;
    if (out.size() == most) {
      at = bytes.size();
      out.push_back(text.cut(begin, at));
      break;
    }
    while (at < end && !is_space_at(at)) at += length_at(bytes, at);
    out.push_back(text.cut(begin, at));
    begin = at + skip_left(bytes.substr(at), nullptr);
  }
  return out;
}

}  // namespace

Text upper(const Text& text) {
  return changed(text, append_upper);
}

Text lower(const Text& text) {
  return changed(text, [](char32_t c, std::string& out) { append_utf8(to_lower(c), out); });
}

Text capitalized(const Text& text) {
  bool first = true;
  return changed(text, [&](char32_t c, std::string& out) {
    if (first) {
      append_upper(c, out);
    } else {
      append_utf8(to_lower(c), out);
    }
    first = false;
  });
}

Text titled(const Text& text, bool as_filter) {
  bool begins = true;
  return changed(text, [&](char32_t c, std::string& out) {
    if (begins) {
      append_upper(c, out);
    } else {
      append_utf8(to_lower(c), out);
    }
    constexpr std::u32string_view kBefore = U"-({[<";
    begins = as_filter ? is_space(c) || kBefore.find(c) != std::u32string_view::npos : !is_cased(c);
  });
}

Text stripped(const Text& text, const std::string_view* chars, Sides sides) {
  const std::size_t begin = sides == Sides::kRight ? 0 : skip_left(text.bytes(), chars);
  const std::size_t end = sides == Sides::kLeft ? text.size() : skip_right(text.bytes(), chars);
  return begin >= end ? Text() : text.cut(begin, end);
}

Result<Text> replaced(const Text& text, std::string_view what, const Text& with, std::size_t most, Budget& budget) {
  Text out;
  const std::string_view bytes = text.bytes();
  std::size_t at = 0;
  for (; most > 0; --most) {
    if (what.empty()) {  // around every character
      LFM_TRY(budget.check(out.size()));
      budget.spend(1 + with.size() / 64);
      out.append(with);
      if (at == bytes.size()) return out;
      out.append(text, at, at + length_at(bytes, at));
      at += length_at(bytes, at);
      continue;
    }
    const std::size_t found = bytes.find(what, at);
    if (found == std::string_view::npos) break;
    LFM_TRY(budget.check(out.size() + with.size()));
    budget.spend(1 + with.size() / 64);
    out.append(text, at, found);
    out.append(with);
    at = found + what.size();
  }
  if (at < bytes.size()) out.append(text, at, bytes.size());
  return out;
}

std::vector<Text> split(const Text& text, const std::string_view* separator, std::size_t most, bool from_right) {
  if (separator == nullptr) return split_at_space(text, most, from_right);
  std::vector<Text> out;
  const std::string_view bytes = text.bytes();
  if (from_right) {
    std::size_t end = bytes.size();
    for (; most > 0; --most) {
      if (end < separator->size()) break;
      const std::size_t found = bytes.substr(0, end).rfind(*separator);
      if (found == std::string_view::npos) break;
      out.push_back(text.cut(found + separator->size(), end));
      end = found;
    }
    out.push_back(text.cut(0, end));
    std::reverse(out.begin(), out.end());
    return out;
  }
  std::size_t at = 0;
  for (; most > 0; --most) {
    const std::size_t found = bytes.find(*separator, at);
    if (found == std::string_view::npos) break;
    out.push_back(text.cut(at, found));
    at = found + separator->size();
  }
  out.push_back(text.cut(at, bytes.size()));
  return out;
}

std::vector<Text> split_lines(const Text& text, bool keep_ends) {
  std::vector<Text> out;
  const std::string_view bytes = text.bytes();
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const text::CodePoint c = text::decode_utf8(bytes, at);
    std::size_t next = at + c.length;
    if (c.form == text::Utf8Form::kWhole && ends_line(c.value)) {
      if (c.value == '\r' && next < bytes.size() && bytes[next] == '\n') ++next;
      out.push_back(text.cut(begin, keep_ends ? next : at));
      begin = next;
    }
    at = next;
  }
  if (begin < bytes.size()) out.push_back(text.cut(begin, bytes.size()));
  return out;
}

}  // namespace lfm::jinja
