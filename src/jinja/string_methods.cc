#include "jinja/string_methods.h"

#include <algorithm>
#include <charconv>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/functions.h"
#include "jinja/spell.h"
#include "jinja/strings.h"
#include "jinja/unicode.h"
#include "text/utf8.h"

namespace lfm::jinja {
namespace {

using Given = std::vector<Value>;

bool is_given(const Value& value) noexcept {
  return !value.is(Kind::kUndefined) && !value.is(Kind::kNone);
}

Result<Value> change_case(Budget& budget, const Text& self, std::string_view name) {
  if (name == "upper") return budget.string(upper(self));
  if (name == "capitalize") return budget.string(capitalized(self));
  return budget.string(name == "title" ? titled(self, false) : lower(self));
}

Result<Value> strip(Budget& budget, const Text& self, std::string_view name, const Given& given) {
  const Sides sides = name == "lstrip" ? Sides::kLeft : name == "rstrip" ? Sides::kRight : Sides::kBoth;
  if (!is_given(given[0])) return budget.string(stripped(self, nullptr, sides));
  LFM_ASSIGN(const Text chars, string_of(given[0], "strip()"));
  const std::string_view set = chars.bytes();
  budget.spend(1 + self.size() * set.size() / 64);
  return budget.string(stripped(self, &set, sides));
}

Result<Value> split_up(Budget& budget, const Text& self, std::string_view name, const Given& given) {
  LFM_ASSIGN(const std::int64_t most, integer_of(given[1], -1));
  const std::size_t cuts = most < 0 ? kAll : static_cast<std::size_t>(most);
  const bool from_right = name == "rsplit";
  if (from_right && cuts != kAll) budget.spend(1 + std::min(cuts, self.size()) * self.size() / 64);
  LFM_TRY(budget.check());
  if (!is_given(given[0])) return list_of(split(self, nullptr, cuts, from_right && cuts != kAll), budget);
  LFM_ASSIGN(const Text separator, string_of(given[0], "split()"));
  if (separator.empty()) return failure("split() at an empty text");
  const std::string_view at = separator.bytes();
  return list_of(split(self, &at, cuts, from_right), budget);
}

Result<Value> part(Budget& budget, const Text& self, std::string_view name, const Given& given) {
  LFM_ASSIGN(const Text separator, string_of(given[0], "partition()"));
  if (separator.empty()) return failure("partition() at an empty text");
  const bool last = name == "rpartition";
  const std::size_t found = last ? self.bytes().rfind(separator.bytes()) : self.bytes().find(separator.bytes());
  std::vector<Text> out(3);
  if (found == std::string_view::npos) {
    out[last ? 2 : 0] = self;
  } else {
    const std::size_t behind = found + separator.size();
    out = {self.cut(0, found), self.cut(found, behind), self.cut(behind, self.size())};
  }
  return list_of(std::move(out), budget, List::Form::kTuple);
}

// Of one text, or of any in a tuple.
Result<Value> begins_or_ends(const Text& self, std::string_view name, const Value& with) {
  std::vector<Value> any = {with};
  if (with.is(Kind::kList)) any = with.items();
  bool out = false;
  for (const Value& each : any) {
    LFM_ASSIGN(const Text text, string_of(each, name == "startswith" ? "startswith()" : "endswith()"));
    out |= name == "startswith" ? self.bytes().starts_with(text.bytes()) : self.bytes().ends_with(text.bytes());
  }
  return Value::boolean(out);
}

Result<Value> find(Budget& budget, const Text& self, std::string_view name, const Value& what) {
  LFM_ASSIGN(const Text text, string_of(what, "find()"));
  budget.spend(1 + self.size() / 32);
  if (name == "count") {
    if (text.empty()) return Value::integer(static_cast<std::int64_t>(code_points(self.bytes())) + 1);
    std::int64_t n = 0;
    for (std::size_t at = 0; (at = self.bytes().find(text.bytes(), at)) != std::string_view::npos; at += text.size())
      ++n;
    return Value::integer(n);
  }
  const bool last = name.starts_with('r');
  const std::size_t found = last ? self.bytes().rfind(text.bytes()) : self.bytes().find(text.bytes());
  if (found != std::string_view::npos) {
    return Value::integer(static_cast<std::int64_t>(code_points(self.bytes().substr(0, found))));
  }
  if (name.ends_with("index")) return failure("a text isn't in another one");
  return Value::integer(-1);
}

// isdigit() and its like: whether there are code points and all are such; isupper() and islower() look at letters
// alone.
bool all_are(std::string_view bytes, std::string_view name) {
  bool some = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const text::CodePoint c = text::decode_utf8(bytes, at);
    at += c.length;
    const char32_t v = c.value;
    const bool digit = v >= '0' && v <= '9';
    const bool letter = is_cased(v) || (v >= 0xaa && !is_space(v) && is_printable(v) && v != 0xd7 && v != 0xf7 &&
                                        (v < 0x2000 || v > 0x2bff) && (v < 0x3000 || v > 0x303f) && v < 0x1f000);
    bool is = false;
    if (name == "isupper" || name == "islower") {
      if (!is_cased(v)) continue;
      is = name == "isupper" ? to_lower(v) != v : to_upper(v) != v || v == 0xdf;
    } else if (name == "isspace") {
      is = is_space(v);
    } else if (name == "isalpha") {
      is = letter;
    } else {
      is = digit || (name == "isalnum" && letter);
    }
    if (!is) return false;
    some = true;
  }
  return some;
}

Result<Value> join(Budget& budget, const Text& self, const Value& of) {
  LFM_ASSIGN(const Value items, elements(of, budget));
  Text out;
  for (const Value& item : items.items()) {
    LFM_ASSIGN(const Text text, string_of(item, "join()"));
    if (&item != &items.items().front()) out.append(self);
    out.append(text);
    LFM_TRY(budget.check(out.size()));
    budget.spend(1 + text.size() / 64);
  }
  return budget.string(std::move(out));
}

// "{} {0} {name} {{ }}"
Result<Value> format(Budget& budget, const Text& self, const Arguments& arguments) {
  Text out;
  std::size_t next = 0;
  const std::string_view bytes = self.bytes();
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t brace = std::min(bytes.find_first_of("{}", at), bytes.size());
    if (brace > at) out.append(self, at, brace);
    if (brace == bytes.size()) break;
    if (brace + 1 < bytes.size() && bytes[brace + 1] == bytes[brace]) {
      out.append(self, brace, brace + 1);
      at = brace + 2;
      continue;
    }
    const std::size_t end = bytes.find('}', brace);
    if (bytes[brace] == '}' || end == std::string_view::npos) return failure("a format with a bracket alone");
    const std::string_view name = bytes.substr(brace + 1, end - brace - 1);
    std::size_t index = next;
    const auto number = std::from_chars(name.data(), name.data() + name.size(), index);
    const auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (name.empty()) ++next;
    if (name.empty() || (number.ec == std::errc() && number.ptr == name.data() + name.size())) {
      if (index >= arguments.list.size()) return failure("not enough values for a format");
      LFM_TRY(append_str(arguments.list[index], budget, out));
    } else if (named != arguments.named.end()) {
      LFM_TRY(append_str(named->second, budget, out));
    } else {
      return failure("a format that isn't known");
    }
    at = end + 1;
  }
  return budget.string(std::move(out));
}

Result<Value> without(Budget& budget, const Text& self, std::string_view name, const Value& what) {
  LFM_ASSIGN(const Text text, string_of(what, "removeprefix()"));
  const bool prefix = name == "removeprefix";
  const bool has = prefix ? self.bytes().starts_with(text.bytes()) : self.bytes().ends_with(text.bytes());
  if (!has) return budget.string(self);
  return budget.string(prefix ? self.cut(text.size(), self.size()) : self.cut(0, self.size() - text.size()));
}

Result<Value> replace(Budget& budget, const Text& self, const Given& given) {
  LFM_ASSIGN(const Text what, string_of(given[0], "replace()"));
  LFM_ASSIGN(const Text with, string_of(given[1], "replace()"));
  LFM_ASSIGN(const std::int64_t most, integer_of(given[2], -1));
  budget.spend(1 + self.size() / 64);
  LFM_ASSIGN(Text out, replaced(self, what.bytes(), with, most < 0 ? kAll : static_cast<std::size_t>(most), budget));
  return budget.string(std::move(out));
}

struct Method {
  std::string_view name;
  std::string_view parameters;
};

constexpr Method kMethods[] = {
    {"upper", ""},
    {"lower", ""},
    {"capitalize", ""},
    {"title", ""},
    {"strip", "chars"},
    {"lstrip", "chars"},
    {"rstrip", "chars"},
    {"split", "sep maxsplit"},
    {"rsplit", "sep maxsplit"},
    {"splitlines", "keepends"},
    {"partition", "sep"},
    {"rpartition", "sep"},
    {"startswith", "prefix"},
    {"endswith", "suffix"},
    {"find", "sub"},
    {"rfind", "sub"},
    {"index", "sub"},
    {"rindex", "sub"},
    {"count", "sub"},
    {"replace", "old new count"},
    {"join", "iterable"},
    {"removeprefix", "prefix"},
    {"removesuffix", "suffix"},
    {"isdigit", ""},
    {"isdecimal", ""},
    {"isnumeric", ""},
    {"isalpha", ""},
    {"isalnum", ""},
    {"isspace", ""},
    {"isupper", ""},
    {"islower", ""},
    {"format", "*"},
};

const Method* find_method(std::string_view name) noexcept {
  const auto* found =
      std::find_if(std::begin(kMethods), std::end(kMethods), [&](const Method& method) { return method.name == name; });
  return found == std::end(kMethods) ? nullptr : found;
}

}  // namespace

bool is_string_method(std::string_view name) noexcept {
  return find_method(name) != nullptr;
}

Result<Value> call_string_method(Budget& budget, const Value& value, std::string_view name,
                                 const Arguments& arguments) {
  const Text& self = value.text();
  budget.spend(1 + self.size() / 64);
  if (name == "format") return format(budget, self, arguments);
  LFM_ASSIGN(const Given given, arguments.bind(find_method(name)->parameters));
  if (name == "startswith" || name == "endswith") return begins_or_ends(self, name, given[0]);
  if (name.ends_with("strip")) return strip(budget, self, name, given);
  if (name == "splitlines") return list_of(split_lines(self, truth(given[0])), budget);
  if (name.ends_with("split")) return split_up(budget, self, name, given);
  if (name.ends_with("partition")) return part(budget, self, name, given);
  if (name == "replace") return replace(budget, self, given);
  if (name == "join") return join(budget, self, given[0]);
  if (name.starts_with("remove")) return without(budget, self, name, given[0]);
  if (name.starts_with("is")) return Value::boolean(all_are(self.bytes(), name));
  if (given.size() == 1) return find(budget, self, name, given[0]);
  return change_case(budget, self, name);
}

Result<Value> list_of(std::vector<Text> texts, Budget& budget, List::Form form) {
  std::vector<Value> out;
  out.reserve(texts.size());
  for (Text& text : texts) {
    LFM_ASSIGN(Value value, budget.string(std::move(text)));
    out.push_back(std::move(value));
  }
  return budget.list(std::move(out), form);
}

}  // namespace lfm::jinja
