// From a set of schemas to alternatives without keywords that combine schemas.
#include <algorithm>
#include <set>

#include "base/try.h"
#include "constrain/schema/work.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxAlternatives = 1'000;
constexpr std::size_t kMaxChain = 1'000;

bool asserts(const Json& schema) {
  // clang-format off
  static const std::set<std::string_view> kKeywords = {
      "type", "nullable", "enum", "const", kTypes, kNotEnum, kOneSpelling,
      "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties",
      "maxProperties", "unevaluatedProperties", kSomeMember,
      "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "unevaluatedItems", "contains",
      kNotAllItems, kNoItem,
      "pattern", "format", "minLength", "maxLength", kNotPattern, kNotFormat,
      "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"};
  // clang-format on
  return std::any_of(schema.members.begin(), schema.members.end(),
                     [](const Json::Member& member) { return kKeywords.contains(member.first); });
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

Result<std::vector<Alternative>> SchemaCompiler::expand(const Terms& terms) {
  std::vector<Alternative> out;
  Work work;
  for (auto term = terms.rbegin(); term != terms.rend(); ++term) work.todo.push_back({*term, nullptr});
  LFM_TRY(expand(std::move(work), out));
  return out;
}

Status SchemaCompiler::expand(Work work, std::vector<Alternative>& out) {
  while (!work.todo.empty()) {
    const Pending pending = work.todo.back();
    work.todo.pop_back();
    const Term term = pending.term;
    LFM_TRY(check_limits(*term.value));
    for (const Chain* at = pending.chain.get(); at != nullptr; at = at->up.get()) {
      if (at->term == term) return refuse(ErrorCode::kArgument, "\"$ref\" leads back to itself", *term.value);
    }
    if (!work.done.insert(term).second) continue;
    const Term opposite = {term.value, term.kind == Term::Kind::kNot ? Term::Kind::kSchema : Term::Kind::kNot};
    if (term.kind != Term::Kind::kEquals && work.done.contains(opposite)) return {};
    const std::size_t length = pending.chain == nullptr ? 0 : pending.chain->length;
    if (length == kMaxChain)
      return refuse(ErrorCode::kLimit, "schemas that lead to one another too deeply", *term.value);
    pool().effort().spend(length);
    work.chain = std::make_shared<Chain>(Chain{term, pending.chain, length + 1});
    if (term.kind == Term::Kind::kEquals) {
      work.found.push_back(term);
      continue;
    }
    const bool positive = term.kind == Term::Kind::kSchema;
    if (term.value->is(Json::Type::kBoolean)) {
      if (term.value->boolean != positive) return {};
      continue;
    }
    if (!term.value->is_object())
      return refuse(ErrorCode::kArgument, "a schema is an object or a boolean", *term.value);
    if (!positive) return negate(*term.value, work, out);
    bool branched = false;
    LFM_TRY(apply(*term.value, work, out, branched));
    if (branched) return {};
  }
  if (out.size() >= kMaxAlternatives) {
    return refuse(ErrorCode::kLimit, "more than 1000 combinations of alternatives",
                  work.found.empty() ? root_ : *work.found[0].value);
  }
  out.push_back(std::move(work.found));
  return {};
}

SchemaCompiler::Work SchemaCompiler::copy(const Work& work) {
  pool().effort().spend(8 * (work.todo.size() + work.done.size() + work.found.size()));
  return work;
}

// Goes on with each of the choices, terms that count besides what the work has.
Status SchemaCompiler::branch(const Work& work, const std::vector<Terms>& choices, std::vector<Alternative>& out) {
  for (const Terms& choice : choices) {
    Work one = copy(work);
    for (auto term = choice.rbegin(); term != choice.rend(); ++term) one.todo.push_back({*term, work.chain});
    LFM_TRY(expand(std::move(one), out));
  }
  return {};
}

// Takes one schema into the work; where it offers choices, goes on with all of them to the end.
Status SchemaCompiler::apply(const Json& schema, Work& work, std::vector<Alternative>& out, bool& branched) {
  LFM_TRY(check_keywords(schema));
  std::vector<Pending> also;
  if (const Json* ref = schema.find("$ref")) {
    LFM_ASSIGN(const Json* target, resolve(schema, *ref));
    also.push_back({{target}, work.chain});
    if (old_draft_) {
      work.todo.insert(work.todo.end(), also.rbegin(), also.rend());
      return {};
    }
  }
  if (asserts(schema)) {
    work.found.push_back({&schema});
    LFM_ASSIGN(const Types types, types_of(work.found));
    if (types == 0) {
      branched = true;  // nothing can be this
      return {};
    }
  }
  if (const Json* all = schema.find("allOf")) {
    if (!all->is(Json::Type::kArray)) return refuse(ErrorCode::kArgument, "\"allOf\" is no array", *all);
    for (const Json& part : all->items) also.push_back({{&part}, work.chain});
  }
  if (const Json* no = schema.find("not")) also.push_back({{no, Term::Kind::kNot}, work.chain});
  LFM_ASSIGN(const auto sets, conditions(schema));
  work.todo.insert(work.todo.end(), also.rbegin(), also.rend());

  const Json* any = schema.find("anyOf");
  const Json* one = schema.find("oneOf");
  for (const Json* choices : {any, one}) {
    if (choices != nullptr && (!choices->is(Json::Type::kArray) || choices->items.empty())) {
      return refuse(ErrorCode::kArgument, "expected an array with schemas", *choices);
    }
  }
  std::vector<std::vector<Terms>> all_choices = sets;
  if (any != nullptr) {
    std::vector<Terms>& choices = all_choices.emplace_back();
    for (const Json& part : any->items) choices.push_back({{&part}});
  }
  if (all_choices.empty() && one == nullptr) return {};
  branched = true;
  return choose(schema, all_choices, 0, one, work, out);
}

Status SchemaCompiler::choose(const Json& schema, const std::vector<std::vector<Terms>>& choices, std::size_t at,
                              const Json* one, const Work& work, std::vector<Alternative>& out) {
  if (at == choices.size()) return one != nullptr ? one_of(schema, *one, work, out) : expand(work, out);
  for (const Terms& choice : choices[at]) {
    Work next = copy(work);
    for (auto term = choice.rbegin(); term != choice.rend(); ++term) next.todo.push_back({*term, work.chain});
    LFM_TRY(choose(schema, choices, at + 1, one, next, out));
  }
  return {};
}

// One of the choices and none of the others. Those that can't be true together with it need no "not".
Status SchemaCompiler::one_of(const Json& schema, const Json& choices, const Work& work,
                              std::vector<Alternative>& out) {
  const std::size_t count = choices.items.size();
  if (count > 256) return refuse(ErrorCode::kLimit, "\"oneOf\" with more than 256 schemas", choices);
  for (std::size_t i = 0; i < count; ++i) {
    Terms terms = {{&choices.items[i]}};
    for (std::size_t j = 0; j < count; ++j) {
      if (j == i || approximating_ > 0) continue;  // to show that nothing is both, "anyOf" is enough
      LFM_ASSIGN(const bool apart, are_apart(schema, choices.items[i], choices.items[j]));
      if (!apart) terms.push_back({&choices.items[j], Term::Kind::kNot});
    }
    auto status = branch(work, {terms}, out);
    if (!status.ok()) {
      if (terms.size() == 1 || status.error().code != ErrorCode::kUnsupported || negating_ > 0) return status;
      if (status.error().message.find("\"oneOf\"") != std::string::npos) return status;
      return unsupported("oneOf", choices, "its schemas can be true together, and " + status.error().message);
    }
  }
  return {};
}

// Whether no value can satisfy both, as far as it shows quickly.
Result<bool> SchemaCompiler::are_apart(const Json& schema, const Json& a, const Json& b) {
  const auto key = std::minmax({&a, &b});
  if (const auto known = apart_.find(key); known != apart_.end()) return known->second;
  ++approximating_;
  auto both = expand(Terms{{&a}, {&b}});
  bool apart = false;
  if (both.ok()) {
    apart = true;
    for (Alternative& one : *both) {
      if (asserts(schema)) one.push_back({&schema});
      const auto impossible = is_impossible(one, 3);
      if (!impossible.ok() || !*impossible) {
        apart = false;
        break;
      }
    }
  }
  --approximating_;
  LFM_TRY(check_limits(schema));
  apart_[key] = apart;
  return apart;
}

// Choices between what a schema says under a condition, and that the condition doesn't hold.
Result<std::vector<std::vector<Terms>>> SchemaCompiler::conditions(const Json& schema) {
  std::vector<std::vector<Terms>> sets;
  if (const Json* condition = schema.find("if")) {
    const Json* then = schema.find("then");
    const Json* otherwise = schema.find("else");
    std::vector<Terms> set = {{{condition}}, {{condition, Term::Kind::kNot}}};
    if (then != nullptr) set[0].push_back({then});
    if (otherwise != nullptr) set[1].push_back({otherwise});
    if (then != nullptr || otherwise != nullptr) sets.push_back(std::move(set));
  }
  for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    const Json* all = schema.find(keyword);
    if (all == nullptr) continue;
    if (!all->is_object()) return refuse(ErrorCode::kArgument, "expected an object", *all);
    for (const auto& [name, value] : all->members) {
      if (value.is(Json::Type::kArray) && value.items.empty()) continue;
      if (value.is_true() || (value.is_object() && value.members.empty())) continue;
      // No object, or one without the member; or one with it.
      Json absent{.type = Json::Type::kObject};
      Json member{.type = Json::Type::kObject};
      member.members.emplace_back(name, Json{.type = Json::Type::kBoolean});
      absent.members.emplace_back("properties", std::move(member));
      Json names{.type = Json::Type::kArray};
      names.items.push_back({.type = Json::Type::kString, .text = name});
      Terms with;
      if (value.is(Json::Type::kArray)) {
        names.items.insert(names.items.end(), value.items.begin(), value.items.end());
      }
      Json present{.type = Json::Type::kObject};
      present.members.emplace_back("required", std::move(names));
      with.push_back({&made(std::move(present), value)});
      with.push_back({&made_type(kObject, value)});
      if (!value.is(Json::Type::kArray)) with.push_back({&value});
      sets.push_back({{{&made(std::move(absent), value)}}, std::move(with)});
    }
  }
  return sets;
}

Result<const Json*> SchemaCompiler::resolve(const Json& schema, const Json& ref) {
  if (!ref.is(Json::Type::kString)) return refuse(ErrorCode::kArgument, "\"$ref\" is no text", ref);
  if (const auto known = refs_.find(ref.text); known != refs_.end()) return known->second;
  std::string_view text = ref.text;
  if (!base_.empty() && text.starts_with(base_)) text.remove_prefix(base_.size());
  const Json* target = nullptr;
  if (!text.starts_with('#') && !text.empty()) {
    return unsupported("$ref", schema, "to another document, \"" + ref.text + "\"");
  }
  if (nested_ids_) return unsupported("$ref", schema, "in a document whose parts have an \"$id\" of their own");
  const std::string fragment = text.empty() ? std::string() : percent_decoded(text.substr(1));
  if (fragment.empty()) {
    target = &root_;
  } else if (fragment[0] == '/') {
    target = at_pointer(root_, fragment);
  } else if (const auto found = anchors_.find(fragment); found != anchors_.end()) {
    target = found->second;
  }
  if (target == nullptr) return refuse(ErrorCode::kArgument, "\"$ref\" to nothing, \"" + ref.text + "\"", schema);
  refs_[ref.text] = target;
  return target;
}

}  // namespace lfm::constrain
