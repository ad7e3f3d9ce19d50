#include "jinja/spell.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/unicode.h"
#include "json/write.h"
#include "text/utf8.h"

namespace lfm::jinja {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

std::string hex(char32_t c, int digits) {
  std::string out;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHexDigits[(c >> shift) & 15];
  return out;
}

// Rewrites each code point by escaped(), which gives nothing for those that stay; every byte keeps its origin.
template <typename Escaped>
void append_escaped_text(const Text& text, Escaped escaped, Text& out) {
  text.runs([&](std::string_view bytes, Origin origin) {
    std::string made;
    for (std::size_t at = 0; at < bytes.size();) {
      const text::CodePoint c = text::decode_utf8(bytes, at);
      const std::string_view as_it_is = bytes.substr(at, c.length);
      if (c.form != text::Utf8Form::kWhole || !escaped(c.value, made)) made += as_it_is;
      at += c.length;
    }
    out.append(made, origin);
  });
}

void append_quoted_python(const Text& text, Text& out) {
  const std::string_view bytes = text.bytes();
  const bool doubled = bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
  const std::string quote(1, doubled ? '"' : '\'');
  out.append(quote, Origin::kData);
  append_escaped_text(
      text,
      [&](char32_t c, std::string& made) {
        if (c == static_cast<unsigned char>(quote[0])) {
          made += '\\';
          made += quote;
          return true;
        }
        if (json::escape_shared(c, made)) return true;
        if (is_printable(c)) return false;
        made += c < 0x100 ? "\\x" + hex(c, 2) : c < 0x10000 ? "\\u" + hex(c, 4) : "\\U" + hex(c, 8);
        return true;
      },
      out);
  out.append(quote, Origin::kData);
}

void append_quoted_json(const Text& text, bool ensure_ascii, Text& out) {
  out.append("\"", Origin::kData);
  append_escaped_text(
      text,
      [&](char32_t c, std::string& made) {
        if (c == '"') {
          made += "\\\"";
        } else if (c == '\b' || c == '\f') {
          made += c == '\b' ? "\\b" : "\\f";
        } else if (json::escape_shared(c, made)) {
        } else if (c < 0x20 || (ensure_ascii && c >= 0x7f && c < 0x10000)) {
          made += "\\u" + hex(c, 4);
        } else if (ensure_ascii && c >= 0x10000) {
          made += "\\u" + hex(0xd800 + ((c - 0x10000) >> 10), 4) + "\\u" + hex(0xdc00 + ((c - 0x10000) & 0x3ff), 4);
        } else {
          return false;
        }
        return true;
      },
      out);
  out.append("\"", Origin::kData);
}

Error no_text(const Value& value) {
  return failure(std::string("a '") + type_name(value) + "' can't be written");
}

// Text of what has no parts; false for others.
bool append_scalar(const Value& value, Text& out) {
  switch (value.kind()) {
    case Kind::kNone:
      out.append("None", Origin::kTemplate);
      return true;
    case Kind::kBoolean:
      out.append(value.boolean() ? "True" : "False", value.origin());
      return true;
    case Kind::kInteger:
      out.append(std::to_string(value.integer()), value.origin());
      return true;
    case Kind::kFloat:
      out.append(float_text(value.number()), value.origin());
      return true;
    case Kind::kBigInteger:
      out.append(value.text());
      return true;
    default:
      return false;
  }
}

class JsonSpeller {
 public:
  JsonSpeller(const JsonStyle& style, Budget& budget, Text& out) : style_(style), budget_(budget), out_(out) {}

  Status value(const Value& value) {
    LFM_TRY(budget_.check(out_.size()));
    budget_.spend(1);
    switch (value.kind()) {
      case Kind::kNone:
        punctuation("null");
        return {};
      case Kind::kBoolean:
        out_.append(value.boolean() ? "true" : "false", value.origin());
        return {};
      case Kind::kFloat:
        if (!std::isfinite(value.number())) {
          punctuation(std::isnan(value.number()) ? "NaN" : value.number() > 0 ? "Infinity" : "-Infinity");
          return {};
        }
        [[fallthrough]];
      case Kind::kInteger:
      case Kind::kBigInteger:
        append_scalar(value, out_);
        return {};
      case Kind::kString:
        budget_.spend(value.text().size() / 64);
        append_quoted_json(value.text(), style_.ensure_ascii, out_);
        return {};
      case Kind::kList:
        return list(value);
      case Kind::kDict:
        return dict(value);
      default:
        return failure(std::string("JSON has no '") + type_name(value) + "'");
    }
  }

 private:
  void punctuation(std::string_view text) { out_.append(text, Origin::kData); }

  void new_line() {
    if (!style_.indent) return;
    punctuation("\n");
    for (std::size_t i = 0; i < level_; ++i) punctuation(*style_.indent);
  }

  Status list(const Value& value) {
    if (value.items().empty()) {
      punctuation("[]");
      return {};
    }
    punctuation("[");
    ++level_;
    for (const Value& item : value.items()) {
      if (&item != &value.items().front()) punctuation(style_.item_separator);
      new_line();
      LFM_TRY(this->value(item));
    }
    --level_;
    new_line();
    punctuation("]");
    return {};
  }

  Status dict(const Value& value) {
    const Dict::Members& members = value.dict().members;
    if (members.empty()) {
      punctuation("{}");
      return {};
    }
    std::vector<const std::pair<Value, Value>*> sorted;
    for (const auto& member : members) sorted.push_back(&member);
    if (style_.sort_keys) {
      std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return a->first.is(Kind::kString) && b->first.is(Kind::kString) && a->first.bytes() < b->first.bytes();
      });
    }
    punctuation("{");
    ++level_;
    for (const auto* member : sorted) {
      if (member != sorted.front()) punctuation(style_.item_separator);
      new_line();
      LFM_TRY(key(member->first));
      punctuation(style_.key_separator);
      LFM_TRY(this->value(member->second));
    }
    --level_;
    new_line();
    punctuation("}");
    return {};
  }

  Status key(const Value& key) {
    if (key.is(Kind::kString)) return value(key);
    punctuation("\"");
    LFM_TRY(value(key));
    punctuation("\"");
    return {};
  }

  const JsonStyle& style_;
  Budget& budget_;
  Text& out_;
  std::size_t level_ = 0;
};

}  // namespace

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto made = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view spelt(buffer, static_cast<std::size_t>(made.ptr - buffer));  // "-1.25e+03"
  const std::size_t e = spelt.find('e');
  int exponent = 0;
  const std::size_t digit = e + (spelt[e + 1] == '+' ? 2 : 1);
  std::from_chars(spelt.data() + digit, spelt.data() + spelt.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(spelt);
  std::string digits;
  for (const char c : spelt.substr(0, e)) {
    if (c != '.' && c != '-') digits += c;
  }
  std::string out = spelt[0] == '-' ? "-" : "";
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  const std::string fraction = digits.substr(whole);
  return out + digits.substr(0, whole) + "." + (fraction.empty() ? "0" : fraction);
}

Status append_repr(const Value& value, Budget& budget, Text& out) {
  LFM_TRY(budget.check(out.size()));
  budget.spend(1);
  if (append_scalar(value, out)) return {};
  const auto between = [&](std::string_view text) { out.append(text, Origin::kData); };
  switch (value.kind()) {
    case Kind::kUndefined:
      between("Undefined");
      return {};
    case Kind::kString:
      budget.spend(value.text().size() / 64);
      append_quoted_python(value.text(), out);
      return {};
    case Kind::kList: {
      const bool tuple = value.list().form == List::Form::kTuple;
      between(tuple ? "(" : "[");
      for (const Value& item : value.items()) {
        if (&item != &value.items().front()) between(", ");
        LFM_TRY(append_repr(item, budget, out));
      }
      between(!tuple ? "]" : value.items().size() == 1 ? ",)" : ")");
      return {};
    }
    case Kind::kDict:
      between("{");
      for (const auto& member : value.dict().members) {
        if (&member != &value.dict().members.front()) between(", ");
        LFM_TRY(append_repr(member.first, budget, out));
        between(": ");
        LFM_TRY(append_repr(member.second, budget, out));
      }
      between("}");
      return {};
    default:
      return no_text(value);
  }
}

Status append_str(const Value& value, Budget& budget, Text& out) {
  if (value.is(Kind::kUndefined)) return {};
  if (value.is(Kind::kString)) {
    budget.spend(value.text().size() / 64);
    out.append(value.text());
    return {};
  }
  return append_repr(value, budget, out);
}

Result<Text> to_text(const Value& value, Budget& budget) {
  if (value.is(Kind::kString)) return value.text();
  Text out;
  LFM_TRY(append_str(value, budget, out));
  return out;
}

Status append_json(const Value& value, const JsonStyle& style, Budget& budget, Text& out) {
  return JsonSpeller(style, budget, out).value(value);
}

}  // namespace lfm::jinja
