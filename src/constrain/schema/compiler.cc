#include "constrain/schema/compiler.h"

#include <algorithm>

#include "base/try.h"
#include "constrain/schema/format.h"
#include "constrain/schema/work.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxNodes = 50'000;
constexpr std::size_t kMaxSteps = 500'000;  // schemas looked at, over and over
// What is known to take long and isn't counted bit by bit.
constexpr std::size_t kStepEffort = 100, kNodeEffort = 1'500, kPatternEffort = 2'000;
constexpr std::uint32_t kMaxRepeat = 1'000'000;

// Others may say that keywords mean something else, or nothing.
bool is_known_draft(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  return address.starts_with("json-schema.org/") || address.starts_with("spec.openapis.org/oas/");
}

}  // namespace

SchemaCompiler::SchemaCompiler(const Json& schema, Grammar& grammar, bool formats_by_draft)
    : root_(schema), grammar_(grammar) {
  never_ = static_cast<NodeId>(grammar_.nodes.size());
  grammar_.nodes.emplace_back();
  if (const Json* draft = schema.find("$schema"); draft != nullptr && draft->is(Json::Type::kString)) {
    for (const char* old : {"draft-03", "draft-04", "draft-06", "draft-07"}) {
      old_draft_ = old_draft_ || draft->text.find(old) != std::string::npos;
    }
    for (const char* old : {"draft-03", "draft-04"}) {
      grammar_.whole_fractions = grammar_.whole_fractions && draft->text.find(old) == std::string::npos;
    }
    formats_count_ = !formats_by_draft || draft->text.find("2020-12") == std::string::npos;
    if (!is_known_draft(draft->text)) unknown_draft_ = draft;
  }
  for (const char* keyword : {"$id", "id"}) {
    const Json* id = schema.find(keyword);
    if (id != nullptr && id->is(Json::Type::kString) && base_.empty()) base_ = id->text.substr(0, id->text.find('#'));
  }
  find_ids(schema);
}

// Names of parts, and whether parts have addresses of their own.
void SchemaCompiler::find_ids(const Json& value) {
  for (const Json& item : value.items) find_ids(item);
  for (const auto& [name, member] : value.members) {
    if (name == "enum" || name == "const" || name == "default" || name == "examples") continue;
    if (!member.is(Json::Type::kString)) {
      find_ids(member);
    } else if (name == "$anchor") {
      anchors_[member.text] = &value;
    } else if ((name == "$id" || (name == "id" && old_draft_)) && &value != &root_) {
      if (member.text.starts_with('#')) {
        anchors_[member.text.substr(1)] = &value;
      } else {
        nested_ids_ = true;
      }
    }
  }
}

Result<NodeId> SchemaCompiler::add(const Json& schema) {
  if (unknown_draft_ != nullptr) return unsupported("$schema", root_, "of another vocabulary than JSON Schema's");
  return node_for({{&schema}});
}

Result<std::vector<std::uint32_t>> SchemaCompiler::add_arguments(const Json& schema) {
  std::vector<std::uint32_t> ids;
  LFM_ASSIGN(const auto alternatives, expand(Terms{{&schema}}));
  for (const Alternative& one : alternatives) {
    LFM_ASSIGN(const Types types, types_of(one));
    if ((types & kObject) == 0) continue;
    bool possible = false;
    LFM_ASSIGN(ObjectRule rule, object_rule(one, possible));
    if (!possible) continue;
    rule.arguments = true;
    ids.push_back(static_cast<std::uint32_t>(grammar_.objects.size()));
    grammar_.objects.push_back(std::move(rule));
  }
  return ids;
}

Status SchemaCompiler::finish() {
  while (!todo_.empty()) {
    const auto [id, terms] = std::move(todo_.back());
    todo_.pop_back();
    LFM_TRY(check_limits(*(terms.empty() ? &root_ : terms[0].value)));
    LFM_TRY(build(id, terms));
    if (grammar_.dfa.failed()) {
      return refuse(ErrorCode::kLimit, "too many states, or too much work", *(terms.empty() ? &root_ : terms[0].value));
    }
  }
  for (const auto& [index, schema] : uniques_) {
    ArrayRule& array = grammar_.arrays[index];
    std::uint64_t values = 0;
    for (std::uint32_t i = 0; i <= array.first.size(); ++i) {
      const Node& node = grammar_.nodes[grammar_.at(array, i)];
      if (!node.objects.empty() || !node.arrays.empty()) {
        return unsupported("uniqueItems", *schema, "where items may be objects or arrays");
      }
      values = grammar_.dfa.matches_left(node.scalar);
      for (const TextRule& text : node.texts) values += text.max == 0 ? 1 : Dfa::kMany;
    }
    if (!array.first.empty()) return unsupported("uniqueItems", *schema, "with schemas for single items");
    array.max =
        static_cast<std::uint32_t>(values < Dfa::kMany ? std::min<std::uint64_t>(array.max, values) : array.max);
  }
  return {};
}

NodeId SchemaCompiler::node_for(Terms terms) {
  std::erase_if(terms, [](const Term& term) {
    return term.kind == Term::Kind::kSchema &&
           (term.value->is_true() || (term.value->is_object() && term.value->members.empty()));
  });
  Terms key = terms;
  std::sort(key.begin(), key.end());
  key.erase(std::unique(key.begin(), key.end()), key.end());
  const auto [at, added] = ids_.emplace(std::move(key), static_cast<NodeId>(grammar_.nodes.size()));
  if (added) {
    grammar_.nodes.emplace_back();
    todo_.emplace_back(at->second, std::move(terms));
  }
  return at->second;
}

Status SchemaCompiler::build(NodeId id, const Terms& terms) {
  pool().effort().spend(kNodeEffort);
  LFM_ASSIGN(const auto alternatives, expand(terms));
  Node node;
  std::vector<RegexId> scalars;
  for (const Alternative& one : alternatives) {
    LFM_ASSIGN(const Types types, types_of(one));
    LFM_ASSIGN(const auto values, literals(one, types));
    if (!values) {
      LFM_TRY(add_scalars(one, types, scalars, node.texts));
      LFM_TRY(add_rules(one, types, node));
      continue;
    }
    LFM_TRY(add_literals(one, *values, scalars));
    for (const Json* value : *values) {
      if (!value->is_object() && !value->is(Json::Type::kArray)) continue;
      Alternative exact = one;
      exact.push_back({value, Term::Kind::kEquals});
      LFM_TRY(add_rules(exact, value->is_object() ? kObject : kArray, node));
    }
  }
  node.scalar = grammar_.dfa.start(pool().either(std::move(scalars)));
  grammar_.nodes[id] = std::move(node);
  return {};
}

Status SchemaCompiler::add_rules(const Alternative& all, Types types, Node& node) {
  bool possible = false;
  if ((types & kObject) != 0) {
    LFM_ASSIGN(ObjectRule rule, object_rule(all, possible));
    if (possible) {
      node.objects.push_back(static_cast<std::uint32_t>(grammar_.objects.size()));
      grammar_.objects.push_back(std::move(rule));
    }
  }
  if ((types & kArray) != 0) {
    LFM_ASSIGN(ArrayRule rule, array_rule(all, possible));
    if (possible) {
      node.arrays.push_back(static_cast<std::uint32_t>(grammar_.arrays.size()));
      grammar_.arrays.push_back(std::move(rule));
    }
  }
  return {};
}

Result<bool> SchemaCompiler::none_satisfies(const Terms& terms, int depth) {
  LFM_ASSIGN(const auto alternatives, expand(terms));
  for (const Alternative& one : alternatives) {
    LFM_ASSIGN(const bool impossible, is_impossible(one, depth));
    if (!impossible) return false;
  }
  return true;
}

// Whether nothing satisfies an alternative, as far as members and items that there must be show it.
Result<bool> SchemaCompiler::is_impossible(const Alternative& all, int depth) {
  LFM_ASSIGN(const Types types, types_of(all));
  if (types == 0) return true;
  LFM_ASSIGN(const auto values, literals(all, types));
  std::vector<RegexId> scalars;
  std::vector<TextRule> texts;
  if (values) {
    LFM_TRY(add_literals(all, *values, scalars));
    for (const Json* value : *values)
      if (value->is_object() || value->is(Json::Type::kArray)) return false;
  } else {
    LFM_TRY(add_scalars(all, types, scalars, texts));
  }
  if (!texts.empty() || grammar_.dfa.is_live(pool().either(std::move(scalars)))) return false;
  if (values) return true;
  if ((types & kObject) != 0) {
    bool possible = true;
    LFM_ASSIGN(const auto names, property_names(all));
    for (const auto& [name, required] : names) {
      if (!required) continue;
      LFM_ASSIGN(const MemberTerms member, property_terms(all, name));
      if (!member.possible) {
        possible = false;
      } else if (depth > 0) {
        LFM_ASSIGN(const bool impossible, none_satisfies(member.terms, depth - 1));
        possible = !impossible;
      }
      if (!possible) break;
    }
    if (possible) return false;
  }
  if ((types & kArray) != 0) {
    std::uint32_t min = 0, max = kNoLimit;
    for (const Term& term : all) {
      LFM_ASSIGN(const std::uint32_t low, count(*term.value, "minItems", 0));
      LFM_ASSIGN(const std::uint32_t high, count(*term.value, "maxItems", kNoLimit));
      min = std::max(min, low);
      max = std::min(max, high);
    }
    if (min > max) return true;
    if (min == 0 || depth == 0) return false;
    LFM_ASSIGN(const Terms terms, item_terms(all, 0));
    return none_satisfies(terms, depth - 1);
  }
  return true;
}

// A keyword's number of characters, items or members.
Result<std::uint32_t> SchemaCompiler::count(const Json& schema, std::string_view keyword, std::uint32_t otherwise) {
  const Json* value = schema.find(keyword);
  if (value == nullptr) return otherwise;
  const auto number = value->is(Json::Type::kNumber) ? Decimal::parse(value->text) : std::nullopt;
  if (!number || number->negative || !number->is_integer()) {
    return refuse(ErrorCode::kArgument, "expected a number of 0 or more without a fraction", *value);
  }
  const bool large = number->whole.size() > 9;
  const std::uint32_t given = large ? kNoLimit : static_cast<std::uint32_t>(std::stoul(number->whole));
  if (keyword.starts_with("min") && given > kMaxRepeat) {
    return refuse(ErrorCode::kLimit, "\"" + std::string(keyword) + "\" above 1000000", *value);
  }
  return given;
}

Result<RegexId> SchemaCompiler::pattern(const Json& place, const std::string& text, std::size_t spelling,
                                        Pattern::Extent extent) {
  const auto key = std::make_tuple(text, spelling, extent);
  if (const auto known = patterns_.find(key); known != patterns_.end()) return known->second;
  const auto failed = [&](const Error& error) {
    return refuse(error.code, "a pattern that can't be held, \"" + text.substr(0, 100) + "\": " + error.message, place);
  };
  pool().effort().spend(kPatternEffort);
  auto parsed = Pattern::parse(text);
  if (!parsed.ok()) return failed(parsed.error());
  auto regex = parsed->compile(pool(), grammar_.notation.spellings[spelling], extent);
  if (!regex.ok()) return failed(regex.error());
  patterns_.emplace(key, *regex);
  return *regex;
}

// As Json::find(), for who asks for all members of an object.
const Json* SchemaCompiler::member(const Json& object, const std::string& name) {
  constexpr std::size_t kFew = 16;
  pool().effort().spend(std::min(object.members.size(), kFew));
  if (object.members.size() <= kFew) return object.find(name);
  auto& index = members_[&object];
  if (index.empty()) {
    for (const auto& [key, value] : object.members) index.emplace(key, &value);
  }
  const auto found = index.find(name);
  return found != index.end() ? found->second : nullptr;
}

const Json& SchemaCompiler::made(Json value, const Json& origin) {
  const Json& kept = made_.emplace_back(std::move(value));
  origins_[&kept] = &origin;
  return kept;
}

const Json& SchemaCompiler::made_type(Types types, const Json& origin) {
  Json schema{.type = Json::Type::kObject};
  schema.members.emplace_back(kTypes, Json{.type = Json::Type::kNumber, .text = std::to_string(int{types})});
  return made(std::move(schema), origin);
}

// Keywords that no rule holds to.
Status SchemaCompiler::check_keywords(const Json& schema) {
  static constexpr std::string_view kNotHeld[] = {"$dynamicRef", "$recursiveRef", "extends", "disallow", "divisibleBy"};
  for (const std::string_view keyword : kNotHeld) {
    if (schema.find(keyword) != nullptr) return unsupported(keyword, schema);
  }
  for (const char* keyword : {"unevaluatedProperties", "unevaluatedItems"}) {
    const Json* value = schema.find(keyword);
    if (value == nullptr || value->is_true()) continue;
    for (const char* other : {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "contains"}) {
      if (schema.find(other) != nullptr) return unsupported(keyword, schema, "beside \"" + std::string(other) + "\"");
    }
  }
  if (const Json* format = schema.find("format"); is_format(format)) {
    LFM_ASSIGN(const Types types, types_of(schema));
    if (format_pattern(format->text).empty() && (types & kString) != 0) {
      return unsupported("format", schema, "\"" + format->text.substr(0, 100) + "\"");
    }
  }
  return {};
}

Status SchemaCompiler::check_limits(const Json& place) {
  if (++steps_ > kMaxSteps || grammar_.nodes.size() > kMaxNodes)
    return refuse(ErrorCode::kLimit, "a schema that is too large", place);
  pool().effort().spend(kStepEffort);
  if (pool().effort().is_over()) return refuse(ErrorCode::kLimit, "a schema that is too much work", place);
  return {};
}

bool SchemaCompiler::is_format(const Json* value) const {
  return formats_count_ && value != nullptr && value->is(Json::Type::kString);
}

Error SchemaCompiler::refuse(ErrorCode code, std::string message, const Json& place) const {
  const Json* at = &place;
  for (auto made = origins_.find(at); made != origins_.end(); made = origins_.find(at)) at = made->second;
  return {code, std::move(message), pointer_to(root_, *at)};
}

Error SchemaCompiler::unsupported(std::string_view keyword, const Json& place, std::string_view why) const {
  std::string message = "\"" + std::string(keyword) + "\" can't be held";
  if (!why.empty()) message.append(" ").append(why);
  const Json* value = place.find(keyword);
  return refuse(ErrorCode::kUnsupported, std::move(message), value != nullptr ? *value : place);
}

}  // namespace lfm::constrain
