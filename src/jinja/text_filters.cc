// Filters that make text.
#include <algorithm>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/functions.h"
#include "jinja/spell.h"
#include "jinja/strings.h"
#include "jinja/unicode.h"

namespace lfm::jinja {
namespace {

template <Text (*change)(const Text&)>
Result<Value> change_text(Machine& machine, const Value& input, const Given&) {
  LFM_ASSIGN(const Text text, to_text(input, machine.budget()));
  return machine.budget().string(change(text));
}

Text title(const Text& text) {
  return titled(text, true);
}

Text same(const Text& text) {
  return text;
}

Text escaped(const Text& text) {
  Text out;
  text.runs([&](std::string_view bytes, Origin origin) {
    for (const char c : bytes) {
      const std::string_view made = c == '&'    ? "&amp;"
                                    : c == '<'  ? "&lt;"
                                    : c == '>'  ? "&gt;"
                                    : c == '\'' ? "&#39;"
                                    : c == '"'  ? "&#34;"
                                                : std::string_view(&c, 1);
      out.append(made, origin);
    }
  });
  return out;
}

Result<Value> trim(Machine& machine, const Value& input, const Given& given) {
  Budget& budget = machine.budget();
  LFM_ASSIGN(const Text text, to_text(input, budget));
  if (!given[0].is(Kind::kString)) return budget.string(stripped(text, nullptr, Sides::kBoth));
  const std::string_view set = given[0].bytes();
  budget.spend(1 + text.size() * set.size() / 64);
  return budget.string(stripped(text, &set, Sides::kBoth));
}

Result<Value> replace_text(Machine& machine, const Value& input, const Given& given) {
  Budget& budget = machine.budget();
  LFM_ASSIGN(const Text text, to_text(input, budget));
  LFM_ASSIGN(const Text what, to_text(given[0], budget));
  LFM_ASSIGN(const Text with, to_text(given[1], budget));
  LFM_ASSIGN(const std::int64_t most, integer_of(given[2], -1));
  LFM_ASSIGN(Text out, replaced(text, what.bytes(), with, most < 0 ? kAll : static_cast<std::size_t>(most), budget));
  return budget.string(std::move(out));
}

Result<Value> indent(Machine& machine, const Value& input, const Given& given) {
  Budget& budget = machine.budget();
  LFM_ASSIGN(Text text, string_of(input, "indent"));
  Text margin;
  if (given[0].is(Kind::kString)) {
    margin = given[0].text();
  } else {
    LFM_ASSIGN(const std::int64_t width, integer_of(given[0], 4));
    if (width > 1000) return failure("an indent of more than 1000");
    margin = Text(std::string(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' '), Origin::kTemplate);
  }
  text.append("\n", Origin::kTemplate);  // without which a line end at the end is lost
  const std::vector<Text> lines = split_lines(text, false);
  Text out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    LFM_TRY(budget.check(out.size()));
    budget.spend(1 + margin.size() / 64);
    if (i > 0) out.append("\n", Origin::kTemplate);
    if (i == 0 ? truth(given[1]) : truth(given[2]) || !lines[i].empty()) out.append(margin);
    out.append(lines[i]);
  }
  return budget.string(std::move(out));
}

Result<Value> center(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Text text, to_text(input, machine.budget()));
  LFM_ASSIGN(const std::int64_t width, integer_of(given[0], 80));
  const auto size = static_cast<std::int64_t>(code_points(text.bytes()));
  if (width > 100'000) return failure("a width of more than 100000");
  if (width <= size) return machine.budget().string(text);
  const std::int64_t blanks = width - size;
  const std::int64_t left = blanks / 2 + (blanks & width & 1);
  Text out(std::string(static_cast<std::size_t>(left), ' '), Origin::kTemplate);
  out.append(text);
  out.append(std::string(static_cast<std::size_t>(blanks - left), ' '), Origin::kTemplate);
  return machine.budget().string(std::move(out));
}

Result<Value> truncate(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Text text, to_text(input, machine.budget()));
  LFM_ASSIGN(const std::int64_t length, integer_of(given[0], 255));
  LFM_ASSIGN(const std::int64_t leeway, integer_of(given[3], 5));
  const Text end = given[2].is(Kind::kString) ? given[2].text() : Text("...", Origin::kTemplate);
  const auto size = static_cast<std::int64_t>(code_points(text.bytes()));
  const auto ending = static_cast<std::int64_t>(code_points(end.bytes()));
  if (length < ending || leeway < 0) return failure("truncate to less than its ending");
  if (size - length <= leeway) return machine.budget().string(text);
  Text out = text.cut(0, offset_of(text.bytes(), static_cast<std::size_t>(length - ending)));
  if (!truth(given[1])) {
    const std::size_t blank = out.bytes().rfind(' ');
    if (blank != std::string_view::npos) out = out.cut(0, blank);
  }
  out.append(end);
  return machine.budget().string(std::move(out));
}

Result<Value> count_words(Machine& machine, const Value& input, const Given&) {
  LFM_ASSIGN(const Text text, to_text(input, machine.budget()));
  std::int64_t words = 0;
  bool in_word = false;
  for (const char c : text.bytes()) {
    const bool is = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                    static_cast<unsigned char>(c) >= 0x80;
    words += is && !in_word ? 1 : 0;
    in_word = is;
  }
  return Value::integer(words, text.has_data() ? Origin::kData : Origin::kTemplate);
}

Result<Value> join_texts(Machine& machine, const Value& input, const Given& given) {
  Budget& budget = machine.budget();
  LFM_ASSIGN(const Value items, elements(input, budget));
  LFM_ASSIGN(const Text between, to_text(given[0], budget));
  Text out;
  for (const Value& item : items.items()) {
    LFM_TRY(budget.check(out.size()));
    budget.spend(1 + between.size() / 64);
    if (&item != &items.items().front()) out.append(between);
    if (given[1].is(Kind::kUndefined)) {
      LFM_TRY(append_str(item, budget, out));
    } else {
      LFM_ASSIGN(const Value member, member_of(machine, item, given[1]));
      LFM_TRY(append_str(member, budget, out));
    }
  }
  return budget.string(std::move(out));
}

// As transformers has it: json.dumps() with ensure_ascii=False, and nothing escaped for HTML.
Result<Value> to_json(Machine& machine, const Value& input, const Given& given) {
  JsonStyle style;
  style.ensure_ascii = truth(given[0]);
  style.sort_keys = truth(given[3]);
  if (given[1].is(Kind::kString)) {
    style.indent = given[1].bytes();
  } else if (given[1].is_integral()) {
    if (given[1].integer() > 1000) return failure("an indent of more than 1000");
    style.indent = std::string(static_cast<std::size_t>(std::max<std::int64_t>(given[1].integer(), 0)), ' ');
  }
  if (style.indent) style.item_separator = ",";
  if (given[2].is(Kind::kList)) {
    if (given[2].items().size() != 2) return failure("expected two separators");
    LFM_ASSIGN(const Text item, string_of(given[2].items()[0], "separators"));
    LFM_ASSIGN(const Text key, string_of(given[2].items()[1], "separators"));
    style.item_separator = item.bytes();
    style.key_separator = key.bytes();
  }
  Text out;
  LFM_TRY(append_json(input, style, machine.budget(), out));
  return machine.budget().string(std::move(out));
}

constexpr Filter kTextFilters[] = {
    {"upper", "", change_text<upper>},
    {"lower", "", change_text<lower>},
    {"capitalize", "", change_text<capitalized>},
    {"title", "", change_text<title>},
    {"string", "", change_text<same>},
    {"safe", "", change_text<same>},
    {"escape", "", change_text<escaped>},
    {"e", "", change_text<escaped>},
    {"trim", "chars", trim},
    {"replace", "old new count", replace_text},
    {"indent", "width first blank", indent},
    {"center", "width", center},
    {"truncate", "length killwords end leeway", truncate},
    {"wordcount", "", count_words},
    {"join", "d attribute", join_texts},
    {"tojson", "ensure_ascii indent separators sort_keys", to_json},
};

}  // namespace

std::span<const Filter> text_filters() noexcept {
  return kTextFilters;
}

}  // namespace lfm::jinja
