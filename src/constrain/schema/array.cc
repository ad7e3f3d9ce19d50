// What the schemas of an alternative say together about arrays.
#include <algorithm>

#include "base/try.h"
#include "constrain/schema/compiler.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxFirst = 10'000;

// The schemas of the first items, in either draft's words, or null.
const Json* first_items(const Json& schema) {
  if (const Json* prefix = schema.find("prefixItems")) return prefix;
  const Json* items = schema.find("items");
  return items != nullptr && items->is(Json::Type::kArray) ? items : nullptr;
}

// The schema of the items after those, or null.
const Json* other_items(const Json& schema) {
  const Json* items = schema.find("items");
  if (items != nullptr && items->is(Json::Type::kArray)) items = schema.find("additionalItems");
  return items != nullptr ? items : schema.find("unevaluatedItems");
}

}  // namespace

// Items that have to satisfy a schema as well, and so many have to; the others don't.
struct SchemaCompiler::Wanted {
  Term schema;
  Term others;
  std::size_t from;  // the first of which it is asked
  std::uint32_t min = 1;
  std::uint32_t max = kNoLimit;
};

// What the item at an index has to satisfy.
Result<Terms> SchemaCompiler::item_terms(const Alternative& all, std::size_t index) {
  Terms terms;
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      if (index < term.value->items.size()) terms.push_back({&term.value->items[index], Term::Kind::kEquals});
      continue;
    }
    if (const Json* none = term.value->find(kNoItem)) terms.push_back({negated_items_.at(none), Term::Kind::kNot});
    const Json* first = first_items(*term.value);
    if (first != nullptr && !first->is(Json::Type::kArray)) {
      return refuse(ErrorCode::kArgument, "\"prefixItems\" is no array", *first);
    }
    if (first != nullptr && index < first->items.size()) {
      terms.push_back({&first->items[index]});
    } else if (const Json* other = other_items(*term.value)) {
      terms.push_back({other});
    }
  }
  return terms;
}

Result<std::optional<SchemaCompiler::Wanted>> SchemaCompiler::wanted_items(const Alternative& all) {
  std::optional<Wanted> wanted;
  const auto add = [&](const Json& schema, std::string_view keyword, const Wanted& one) -> Status {
    if (wanted) return unsupported(keyword, schema, "beside another one");
    wanted = one;
    return {};
  };
  for (const Term& term : all) {
    if (term.kind != Term::Kind::kSchema) continue;
    if (const Json* contained = term.value->find("contains"); contained != nullptr && grammar_.whole_fractions) {
      Wanted one = {{contained}, {contained, Term::Kind::kNot}, 0};
      if (!old_draft_) {
        LFM_ASSIGN(one.min, count(*term.value, "minContains", 1));
        LFM_ASSIGN(one.max, count(*term.value, "maxContains", kNoLimit));
      }
      if (one.min > 0 || one.max != kNoLimit) LFM_TRY(add(*term.value, "contains", one));
    }
    if (const Json* from = term.value->find(kNotAllItems)) {
      const Json* items = negated_items_.at(from);
      LFM_TRY(add(*term.value, "not", {{items, Term::Kind::kNot}, {items}, std::stoul(from->text)}));
    }
  }
  return wanted;
}

Result<ArrayRule> SchemaCompiler::array_rule(const Alternative& all, bool& possible) {
  ArrayRule rule;
  std::size_t first = 0;
  const Json* unique = nullptr;
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      rule.min = std::max(rule.min, static_cast<std::uint32_t>(term.value->items.size()));
      rule.max = std::min(rule.max, static_cast<std::uint32_t>(term.value->items.size()));
      first = std::max(first, term.value->items.size());
      continue;
    }
    LFM_ASSIGN(const std::uint32_t min, count(*term.value, "minItems", 0));
    LFM_ASSIGN(const std::uint32_t max, count(*term.value, "maxItems", kNoLimit));
    rule.min = std::max(rule.min, min);
    rule.max = std::min(rule.max, max);
    if (const Json* given = first_items(*term.value)) first = std::max(first, given->items.size());
    const Json* only_once = term.value->find("uniqueItems");
    if (only_once != nullptr && only_once->is_true()) unique = term.value;
  }
  possible = rule.min <= rule.max;
  if (!possible) return rule;
  if (first > kMaxFirst)
    return refuse(ErrorCode::kLimit, "more than 10000 items with schemas of their own", *all[0].value);
  rule.unique = unique != nullptr && rule.max > 1;
  LFM_ASSIGN(const std::optional<Wanted> wanted, wanted_items(all));
  if (wanted) {
    if (rule.unique) return unsupported("uniqueItems", *unique, "where some items are wanted");
    first = std::max(first, wanted->from);
    rule.wanted.min = wanted->min;
    rule.wanted.max = wanted->max;
  }
  const auto node = [&](std::size_t index, const Term* besides = nullptr) -> Result<NodeId> {
    LFM_ASSIGN(Terms terms, item_terms(all, index));
    if (besides != nullptr) terms.push_back(*besides);
    if (rule.unique) {  // items that are equal are to look the same
      Json one{.type = Json::Type::kObject};
      one.members.emplace_back(kOneSpelling, Json{.type = Json::Type::kBoolean, .boolean = true});
      if (one_spelling_ == nullptr) one_spelling_ = &made(std::move(one), *unique);
      terms.push_back({one_spelling_});
    }
    return node_for(std::move(terms));
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(first, rule.max); ++i) {
    const bool asked = wanted && i >= wanted->from;
    LFM_ASSIGN(const NodeId id, node(i, asked ? &wanted->others : nullptr));
    rule.first.push_back(id);
    if (!wanted) continue;
    LFM_ASSIGN(const NodeId one, asked ? node(i, &wanted->schema) : Result<NodeId>(never_));
    rule.wanted.first.push_back(one);
  }
  LFM_ASSIGN(rule.items, node(first, wanted ? &wanted->others : nullptr));
  if (wanted) {
    LFM_ASSIGN(rule.wanted.items, node(first, &wanted->schema));
  }
  if (rule.unique) uniques_.push_back({static_cast<std::uint32_t>(grammar_.arrays.size()), unique});
  return rule;
}

}  // namespace lfm::constrain
