// "not": what it takes for a schema not to hold is that one of its keywords doesn't.
#include <algorithm>

#include "base/try.h"
#include "constrain/schema/format.h"
#include "constrain/schema/work.h"

namespace lfm::constrain {
namespace {

Json text_value(std::string text) {
  return {.type = Json::Type::kString, .text = std::move(text)};
}

Json object_with(std::string_view keyword, Json value) {
  Json object{.type = Json::Type::kObject};
  object.members.emplace_back(keyword, std::move(value));
  return object;
}

bool says_nothing(const Json& schema) {
  return schema.is_true() || (schema.is_object() && schema.members.empty());
}

}  // namespace

Status SchemaCompiler::negate(const Json& schema, const Work& work, std::vector<Alternative>& out) {
  ++negating_;
  auto choices = negations(schema);
  --negating_;
  if (!choices.ok()) return std::move(choices).error();
  return branch(work, *choices, out);
}

// The ways in which a schema may not hold. What one keyword says of a type doesn't matter to values of another.
Result<std::vector<Terms>> SchemaCompiler::negations(const Json& schema) {
  LFM_TRY(check_keywords(schema));
  std::vector<Terms> all;
  const auto add = [&](Types types, Json other, const Json& origin) {
    all.push_back({{&made_type(types, origin)}, {&made(std::move(other), origin)}});
  };
  const auto add_items = [&](std::string_view keyword, std::size_t from, const Json& items) {
    Json marked = object_with(keyword, {.type = Json::Type::kNumber, .text = std::to_string(from)});
    const Json& kept = made(std::move(marked), items);
    negated_items_[&kept.members[0].second] = &items;
    all.push_back({{&made_type(kArray, items)}, {&kept}});
  };
  const auto add_member = [&](const Demand& demand, const Json& origin) {
    const Json& kept = made(object_with(kSomeMember, {}), origin);
    demands_.emplace(&kept.members[0].second, demand);
    all.push_back({{&made_type(kObject, origin)}, {&kept}});
  };
  // A member that has others to come with it.
  const auto add_present = [&](const std::string& name, Term besides, const Json& origin) {
    Json names{.type = Json::Type::kArray};
    names.items.push_back(text_value(name));
    const Json& present = made(object_with("required", std::move(names)), origin);
    all.push_back({{&made_type(kObject, origin)}, {&present}, besides});
  };
  if (const Json* ref = schema.find("$ref")) {
    LFM_ASSIGN(const Json* target, resolve(schema, *ref));
    all.push_back({{target, Term::Kind::kNot}});
    if (old_draft_) return all;
  }
  if (schema.find("if") != nullptr && (schema.find("then") != nullptr || schema.find("else") != nullptr)) {
    const Json* condition = schema.find("if");
    if (const Json* then = schema.find("then")) all.push_back({{condition}, {then, Term::Kind::kNot}});
    if (const Json* other = schema.find("else")) {
      all.push_back({{condition, Term::Kind::kNot}, {other, Term::Kind::kNot}});
    }
  }
  LFM_ASSIGN(const Types types, types_of(schema));
  if (types != kAnyType) all.push_back({{&made_type(kAnyType & ~types, schema)}});

  for (const auto& member : schema.members) {
    const auto& name = member.first;
    const auto& value = member.second;
    const auto number = [&](std::string_view opposite, Types type, int by) -> Status {
      LFM_ASSIGN(const std::uint32_t given, count(schema, name, 0));
      if (by < 0 && given == 0) return {};
      Json limit{.type = Json::Type::kNumber,
                 .text = std::to_string(by < 0 ? std::uint64_t{given} - 1 : std::uint64_t{given} + 1)};
      add(type, object_with(opposite, std::move(limit)), value);
      return {};
    };
    if (name == "allOf") {
      for (const Json& part : value.items) all.push_back({{&part, Term::Kind::kNot}});
    } else if (name == "anyOf") {
      Terms none;
      for (const Json& part : value.items) none.push_back({&part, Term::Kind::kNot});
      all.push_back(std::move(none));
    } else if (name == "not") {
      all.push_back({{&value}});
    } else if (name == "enum" || name == "const") {
      Json list{.type = Json::Type::kArray};
      list.items = name == "const" ? std::vector<Json>{value} : value.items;
      all.push_back({{&made(object_with(kNotEnum, std::move(list)), value)}});
    } else if (name == kNotEnum) {
      all.push_back({{&made(object_with("enum", value), value)}});
    } else if (name == "required") {
      if (!value.is(Json::Type::kArray)) return unsupported(name, value);
      for (const Json& required : value.items) {
        add(kObject, object_with("properties", object_with(required.text, {.type = Json::Type::kBoolean})), value);
      }
    } else if (name == "properties") {
      for (const auto& [property, inner] : value.members) {
        Json names{.type = Json::Type::kArray};
        names.items.push_back(text_value(property));
        Json present = object_with("required", std::move(names));
        // The property's schema is negated where it stands, since its place is what references and errors go by.
        present.members.emplace_back("properties", Json{.type = Json::Type::kObject});
        const Json& kept = made(std::move(present), inner);
        negated_members_[&kept.members.back().second] = {property, &inner};
        all.push_back({{&made_type(kObject, inner)}, {&kept}});
      }
    } else if (name == "minLength") {
      LFM_TRY(number("maxLength", kString, -1));
    } else if (name == "maxLength") {
      LFM_TRY(number("minLength", kString, 1));
    } else if (name == "minItems") {
      LFM_TRY(number("maxItems", kArray, -1));
    } else if (name == "maxItems") {
      LFM_TRY(number("minItems", kArray, 1));
    } else if (name == "minProperties") {
      LFM_TRY(number("maxProperties", kObject, -1));
    } else if (name == "maxProperties") {
      LFM_TRY(number("minProperties", kObject, 1));
    } else if (name == "minimum" || name == "maximum") {
      const Json* exclusive = schema.find(name == "minimum" ? "exclusiveMinimum" : "exclusiveMaximum");
      const bool open = exclusive != nullptr && exclusive->is_true();
      const std::string_view low = open ? "minimum" : "exclusiveMinimum";
      const std::string_view high = open ? "maximum" : "exclusiveMaximum";
      add(kNumber, object_with(name == "minimum" ? high : low, value), value);
    } else if (name == "exclusiveMinimum" || name == "exclusiveMaximum") {
      if (value.is(Json::Type::kBoolean)) continue;
      add(kNumber, object_with(name == "exclusiveMinimum" ? "maximum" : "minimum", value), value);
    } else if (name == "pattern") {
      add(kString, object_with(kNotPattern, value), value);
    } else if (name == kNotPattern) {
      add(kString, object_with("pattern", value), value);
    } else if (name == "format") {
      if (is_format(&value) && !format_pattern(value.text).empty()) add(kString, object_with(kNotFormat, value), value);
    } else if (name == "oneOf") {
      // None, or two of them: ways that aren't apart, which would be too many to follow if there were more.
      if (value.items.size() > 3) return unsupported("not", schema, "of \"oneOf\" with more than three schemas");
      Terms none;
      for (const Json& part : value.items) none.push_back({&part, Term::Kind::kNot});
      all.push_back(std::move(none));
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) all.push_back({{&value.items[j]}, {&value.items[i]}});
      }
    } else if (name == "items" && !value.is(Json::Type::kArray)) {
      if (says_nothing(value)) continue;
      const Json* before = schema.find("prefixItems");
      const std::size_t from = before != nullptr ? before->items.size() : 0;
      add_items(kNotAllItems, from, value);
    } else if (name == "contains") {
      if (!grammar_.whole_fractions) continue;  // drafts that don't know it
      if (!old_draft_ && (schema.find("minContains") != nullptr || schema.find("maxContains") != nullptr)) {
        return unsupported("not", schema, "of \"contains\" with a number of times");
      }
      add_items(kNoItem, 0, value);
    } else if (name == "patternProperties") {
      for (const auto& [pattern, inner] : value.members) {
        if (!says_nothing(inner)) add_member({Demand::Names::kLike, &inner, pattern, &inner}, inner);
      }
    } else if (name == "propertyNames") {
      if (!says_nothing(value)) add_member({Demand::Names::kUnlike, &value, {}, nullptr}, value);
    } else if (name == "additionalProperties" || name == "unevaluatedProperties") {
      if (name == "unevaluatedProperties" && schema.find("additionalProperties") != nullptr) continue;
      if (!says_nothing(value)) add_member({Demand::Names::kOthers, &schema, {}, &value}, value);
    } else if (name == "dependencies" || name == "dependentRequired" || name == "dependentSchemas") {
      for (const auto& [present, others] : value.members) {
        if (!others.is(Json::Type::kArray)) add_present(present, {&others, Term::Kind::kNot}, others);
        for (const Json& other : others.items) {
          const Json& without =
              made(object_with("properties", object_with(other.text, {.type = Json::Type::kBoolean})), others);
          add_present(present, {&without}, others);
        }
      }
    } else if (name == "items" || name == "prefixItems" || name == "additionalItems" || name == "uniqueItems" ||
               name == "multipleOf" || name == kNotFormat || name == kNotAllItems || name == kNoItem ||
               name == kSomeMember) {
      if (name == "uniqueItems" ? !value.is_true() : says_nothing(value)) continue;
      if (std::ranges::all_of(value.items, says_nothing) && !value.items.empty()) continue;
      return unsupported("not", schema, "of \"" + name + "\"");
    } else if (name == "unevaluatedItems") {
      if (says_nothing(value)) continue;
      return unsupported("not", schema, "of \"" + name + "\"");
    }
  }
  return all;
}

}  // namespace lfm::constrain
