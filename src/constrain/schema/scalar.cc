// What the schemas of an alternative say together about values that are neither objects nor arrays.
#include <algorithm>
#include <numeric>
#include <set>

#include "base/try.h"
#include "constrain/schema/format.h"
#include "constrain/schema/string_rule.h"

namespace lfm::constrain {
namespace {

Types type_named(std::string_view name) {
  static constexpr std::pair<std::string_view, Types> kNames[] = {
      {"null", kNull},     {"boolean", kBoolean}, {"integer", kInteger}, {"number", kNumber},
      {"string", kString}, {"array", kArray},     {"object", kObject}};
  for (const auto& [known, types] : kNames)
    if (known == name) return types;
  return 0;
}

Types type_of_value(const Json& value) {
  switch (value.type) {
    case Json::Type::kNull:
      return kNull;
    case Json::Type::kBoolean:
      return kBoolean;
    case Json::Type::kString:
      return kString;
    case Json::Type::kArray:
      return kArray;
    case Json::Type::kObject:
      return kObject;
    case Json::Type::kNumber: {
      const auto number = Decimal::parse(value.text);
      return !number || number->is_integer() ? kInteger : kFraction;
    }
  }
  return 0;
}

// The same for values that are equal, and for no others.
void append_key(const Json& value, std::string& out) {
  switch (value.type) {
    case Json::Type::kNull:
      out += "n";
      return;
    case Json::Type::kBoolean:
      out += value.boolean ? "t" : "f";
      return;
    case Json::Type::kNumber: {
      const auto number = Decimal::parse(value.text);
      out += "#" + (number ? number->text() : value.text) + ";";
      return;
    }
    case Json::Type::kString:
      out += std::to_string(value.text.size()) + "\"" + value.text;
      return;
    case Json::Type::kArray:
      out += "[";
      for (const Json& item : value.items) append_key(item, out);
      out += "]";
      return;
    case Json::Type::kObject: {
      std::set<std::string> members;
      for (const auto& [name, member] : value.members) {
        std::string one = std::to_string(name.size()) + "\"" + name;
        append_key(member, one);
        members.insert(std::move(one));
      }
      out += "{";
      for (const std::string& member : members) out += member;
      out += "}";
    }
  }
}

std::string key_of(const Json& value) {
  std::string key;
  append_key(value, key);
  return key;
}

std::vector<const Json*> values_of(const Json& list) {
  std::vector<const Json*> all;
  for (const Json& value : list.items) all.push_back(&value);
  return all;
}

std::set<std::string> keys_of(const std::vector<const Json*>& values) {
  std::set<std::string> keys;
  for (const Json* value : values) keys.insert(key_of(*value));
  return keys;
}

bool wants_one_spelling(const Alternative& all) {
  return std::any_of(all.begin(), all.end(), [](const Term& term) {
    return term.kind == Term::Kind::kSchema && term.value->find(kOneSpelling) != nullptr;
  });
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Result<Types> SchemaCompiler::types_of(const Json& schema) {
  if (const Json* made = schema.find(kTypes)) return static_cast<Types>(std::stoi(made->text));
  const Json* type = schema.find("type");
  if (type == nullptr) return kAnyType;
  Types types = 0;
  for (const Json& name : type->is(Json::Type::kArray) ? type->items : std::vector<Json>{*type}) {
    if (name.is_object()) return unsupported("type", *type, "with a schema in it");
    if (name.is(Json::Type::kString) && name.text == "any") return unsupported("type", *type, "\"any\"");
    const Types one = name.is(Json::Type::kString) ? type_named(name.text) : Types{0};
    if (one == 0) return refuse(ErrorCode::kArgument, "\"type\" that doesn't exist", *type);
    types |= one;
  }
  const Json* nullable = schema.find("nullable");
  if (nullable != nullptr && nullable->is_true()) types |= kNull;
  return types;
}

Result<Types> SchemaCompiler::types_of(const Alternative& all) {
  Types types = kAnyType;
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      types &= type_of_value(*term.value);
    } else {
      LFM_ASSIGN(const Types some, types_of(*term.value));
      types &= some;
    }
  }
  return types;
}

// The values that "enum" and its like leave; none if they say nothing. What "not" takes out of a kind of values that
// isn't listed is seen to with the kind.
Result<std::optional<std::vector<const Json*>>> SchemaCompiler::literals(const Alternative& all, Types types) {
  std::optional<std::vector<const Json*>> left;
  const auto keep = [&left](std::vector<const Json*> values) {
    if (!left) {
      left = std::move(values);
      return;
    }
    const std::set<std::string> keys = keys_of(values);
    std::erase_if(*left, [&keys](const Json* value) { return !keys.contains(key_of(*value)); });
  };
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      keep({term.value});
      continue;
    }
    if (const Json* value = term.value->find("const")) keep({value});
    if (const Json* list = term.value->find("enum")) {
      if (!list->is(Json::Type::kArray)) return refuse(ErrorCode::kArgument, "\"enum\" is no array", *list);
      keep(values_of(*list));
    }
  }
  for (const Term& term : all) {
    const Json* except = term.kind == Term::Kind::kSchema ? term.value->find(kNotEnum) : nullptr;
    if (except == nullptr) continue;
    if (left) {
      const std::set<std::string> keys = keys_of(values_of(*except));
      std::erase_if(*left, [&keys](const Json* value) { return keys.contains(key_of(*value)); });
    } else if (std::any_of(except->items.begin(), except->items.end(), [types](const Json& value) {
                 return (type_of_value(value) & types & (kArray | kObject)) != 0;
               })) {
      return unsupported("not", *term.value, "of an array or object given as a value");
    }
  }
  if (left) std::erase_if(*left, [types](const Json* value) { return (type_of_value(*value) & types) == 0; });
  return left;
}

void SchemaCompiler::add_word(std::string_view json, std::string_view python, std::vector<RegexId>& out) {
  out.push_back(pool().literal(json));
  if (grammar_.notation.python) out.push_back(pool().literal(python));
}

// Those of the values that the other keywords allow.
Status SchemaCompiler::add_literals(const Alternative& all, const std::vector<const Json*>& values,
                                    std::vector<RegexId>& out) {
  std::vector<std::string> numbers;
  LFM_ASSIGN(const NumberSpec spec, number_spec(all, kNumber));
  const bool any_number = !spec.min && !spec.max && spec.multiple_of == 0;
  const RegexId allowed = any_number ? RegexPool::kAnything : number_regex(pool(), spec);
  for (const Json* value : values) {
    if (value->is(Json::Type::kNull)) add_word("null", "None", out);
    if (value->is(Json::Type::kBoolean)) {
      value->boolean ? add_word("true", "True", out) : add_word("false", "False", out);
    }
    if (value->is(Json::Type::kNumber)) {
      const auto number = Decimal::parse(value->text);
      if (!number) return unsupported("enum", *value, "with a number of more than 400 digits");
      const std::string text = number->text();
      if (any_number || pool().matches(allowed, text)) numbers.push_back(text);
    }
  }
  if (!numbers.empty()) out.push_back(pool().one_of(std::move(numbers)));
  for (std::size_t s = 0; s < (wants_one_spelling(all) ? 1 : spellings()); ++s) {
    LFM_ASSIGN(const StringRule rule, string_rule(all, s));
    const Spelling& spelling = grammar_.notation.spellings[s];
    std::vector<std::string> texts;
    for (const Json* value : values) {
      if (!value->is(Json::Type::kString)) continue;
      const std::size_t length = code_points(value->text);
      if (length < rule.min || length > rule.max) continue;
      std::string spelt;
      spelling.append(value->text, spelt);
      const auto matches = [&](RegexId regex) { return pool().matches(regex, spelt); };
      if (!std::all_of(rule.patterns.begin(), rule.patterns.end(), matches)) continue;
      if (std::any_of(rule.not_patterns.begin(), rule.not_patterns.end(), matches)) continue;
      texts.push_back(spelling.quote + spelt + spelling.quote);
    }
    if (!texts.empty()) out.push_back(pool().one_of(std::move(texts)));
  }
  return {};
}

Status SchemaCompiler::add_scalars(const Alternative& all, Types types, std::vector<RegexId>& out,
                                   std::vector<TextRule>& texts) {
  std::set<std::string> except;
  std::vector<std::string> except_numbers;
  for (const Term& term : all) {
    const Json* list = term.value->find(kNotEnum);
    if (list == nullptr) continue;
    for (const Json& value : list->items) {
      except.insert(key_of(value));
      if (!value.is(Json::Type::kNumber)) continue;
      const auto number = Decimal::parse(value.text);
      if (number) except_numbers.push_back(number->text());
    }
  }
  if ((types & kNull) != 0 && !except.contains("n")) add_word("null", "None", out);
  if ((types & kBoolean) != 0 && !except.contains("t")) add_word("true", "True", out);
  if ((types & kBoolean) != 0 && !except.contains("f")) add_word("false", "False", out);
  if ((types & kNumber) != 0) {
    LFM_ASSIGN(NumberSpec spec, number_spec(all, types));
    spec.one_spelling = !except_numbers.empty() || wants_one_spelling(all);
    RegexId numbers = number_regex(pool(), spec);
    if (!except_numbers.empty()) numbers = pool().both({numbers, pool().negate(pool().one_of(except_numbers))});
    out.push_back(numbers);
  }
  if ((types & kString) == 0) return {};
  const bool one_spelling = wants_one_spelling(all);
  for (std::size_t s = 0; s < (one_spelling ? 1 : spellings()); ++s) {
    const Spelling& spelling = grammar_.notation.spellings[s];
    const bool strict = one_spelling && spelling.raw_lines;
    LFM_ASSIGN(StringRule rule, string_rule(all, s));
    if (strict) rule.patterns.push_back(spelling.strict().any_text(pool()));
    if (rule.is_free()) {
      if (rule.min <= rule.max) texts.push_back({static_cast<std::uint8_t>(s), rule.min, rule.max});
    } else {
      out.push_back(spelling.quoted(pool(), content(rule, s)));
    }
  }
  return {};
}

Result<NumberSpec> SchemaCompiler::number_spec(const Alternative& all, Types types) {
  NumberSpec spec;
  spec.integers = (types & kInteger) != 0;
  spec.fractions = (types & kFraction) != 0;
  const auto bound = [&](const Json& schema, const char* keyword, const Json* value, bool exclusive,
                         bool lower) -> Status {
    if (!value->is(Json::Type::kNumber)) return refuse(ErrorCode::kArgument, "expected a number", *value);
    const auto number = Decimal::parse(value->text);
    if (!number) return unsupported(keyword, schema, "with more than 400 digits");
    auto& at = lower ? spec.min : spec.max;
    const int order = at ? compare(*number, at->value) : 0;
    const bool tighter = !at || (lower ? order > 0 : order < 0) || (order == 0 && exclusive);
    if (tighter) at = Bound{*number, exclusive};
    return {};
  };
  for (const Term& term : all) {
    if (term.kind != Term::Kind::kSchema) continue;
    const Json& schema = *term.value;
    for (const bool lower : {true, false}) {
      const char* inclusive = lower ? "minimum" : "maximum";
      const char* exclusive = lower ? "exclusiveMinimum" : "exclusiveMaximum";
      const Json* open = schema.find(exclusive);
      const bool old_style = open != nullptr && open->is(Json::Type::kBoolean);
      if (const Json* value = schema.find(inclusive)) {
        LFM_TRY(bound(schema, inclusive, value, old_style && open->boolean, lower));
      }
      if (open != nullptr && !old_style) LFM_TRY(bound(schema, exclusive, open, true, lower));
    }
    if (const Json* value = schema.find("multipleOf")) {
      const auto number = value->is(Json::Type::kNumber) ? Decimal::parse(value->text) : std::nullopt;
      if (!number || number->negative || *number == Decimal{}) {
        return refuse(ErrorCode::kArgument, "\"multipleOf\" is no number above 0", *value);
      }
      if (!number->is_integer() || number->whole.size() > 9) {
        return unsupported("multipleOf", schema, "of anything but an integer of at most nine digits");
      }
      const auto divisor = static_cast<std::uint32_t>(std::stoul(number->whole));
      const std::uint64_t both = spec.multiple_of == 0 ? divisor : std::lcm<std::uint64_t>(spec.multiple_of, divisor);
      if (both > 999'999'999)
        return unsupported("multipleOf", schema, "with others to a multiple of more than nine digits");
      spec.multiple_of = static_cast<std::uint32_t>(both);
    }
  }
  return spec;
}

Result<SchemaCompiler::StringRule> SchemaCompiler::string_rule(const Alternative& all, std::size_t spelling) {
  StringRule rule;
  for (const Term& term : all) {
    if (term.kind != Term::Kind::kSchema) continue;
    const Json& schema = *term.value;
    LFM_ASSIGN(const std::uint32_t min, count(schema, "minLength", 0));
    LFM_ASSIGN(const std::uint32_t max, count(schema, "maxLength", kNoLimit));
    rule.min = std::max(rule.min, min);
    rule.max = std::min(rule.max, max);
    for (const bool positive : {true, false}) {
      auto& patterns = positive ? rule.patterns : rule.not_patterns;
      if (const Json* text = schema.find(positive ? "pattern" : kNotPattern)) {
        if (!text->is(Json::Type::kString)) return refuse(ErrorCode::kArgument, "\"pattern\" is no text", *text);
        LFM_ASSIGN(const RegexId regex, pattern(*text, text->text, spelling,
                                                positive ? Pattern::Extent::kWithin : Pattern::Extent::kLoosely));
        patterns.push_back(regex);
      }
      const Json* format = schema.find(positive ? "format" : kNotFormat);
      if (!is_format(format)) continue;
      const std::string_view known = format_pattern(format->text);
      if (!known.empty()) {
        LFM_ASSIGN(const RegexId regex, pattern(*format, std::string(known), spelling, Pattern::Extent::kWhole));
        patterns.push_back(regex);
      } else {
        return unsupported("format", schema, "\"" + format->text + "\"");
      }
    }
    if (const Json* except = schema.find(kNotEnum)) {
      std::vector<std::string> texts;
      for (const Json& value : except->items) {
        if (!value.is(Json::Type::kString)) continue;
        grammar_.notation.spellings[spelling].append(value.text, texts.emplace_back());
      }
      if (!texts.empty()) rule.not_patterns.push_back(pool().one_of(std::move(texts)));
    }
  }
  return rule;
}

RegexId SchemaCompiler::content(const StringRule& rule, std::size_t spelling) {
  const RegexId any_char = grammar_.notation.spellings[spelling].any_char(pool());
  std::vector<RegexId> parts = rule.patterns;
  const bool counted = rule.min > 0 || rule.max != kNoLimit;
  if (rule.min > rule.max) return RegexPool::kNothing;
  if (counted || parts.empty()) parts.push_back(pool().repeat(any_char, rule.min, rule.max));
  for (const RegexId regex : rule.not_patterns) parts.push_back(pool().negate(regex));
  return pool().both(std::move(parts));
}

}  // namespace lfm::constrain
