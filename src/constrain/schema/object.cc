// What the schemas of an alternative say together about objects.
#include <algorithm>
#include <set>
#include <tuple>

#include "base/try.h"
#include "constrain/schema/string_rule.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxPatterns = 6;

// The schema of members that neither "properties" nor "patternProperties" name, or null.
const Json* additional(const Json& schema) {
  if (const Json* given = schema.find("additionalProperties")) return given;
  return schema.find("unevaluatedProperties");
}

}  // namespace

// In the order in which the schemas name them, and whether they are required.
Result<std::vector<std::pair<std::string, bool>>> SchemaCompiler::property_names(const Alternative& all) {
  std::vector<std::pair<std::string, bool>> names;
  std::unordered_map<std::string, std::size_t> index;
  const auto add = [&](const std::string& name, bool required) {
    const auto [at, added] = index.emplace(name, names.size());
    if (added) names.emplace_back(name, false);
    if (required) names[at->second].second = true;
  };
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      for (const auto& [name, value] : term.value->members) add(name, true);
      continue;
    }
    const Json* properties = term.value->find("properties");
    if (properties == nullptr) continue;
    if (!properties->is_object()) return refuse(ErrorCode::kArgument, "\"properties\" is no object", *properties);
    if (const auto made = negated_members_.find(properties); made != negated_members_.end())
      add(made->second.first, true);
    for (const auto& [name, value] : properties->members) add(name, false);
  }
  for (const Term& term : all) {
    const Json* required = term.kind == Term::Kind::kSchema ? term.value->find("required") : nullptr;
    if (required == nullptr) continue;
    if (!required->is(Json::Type::kArray)) return unsupported("required", *term.value, "that is no array");
    for (const Json& name : required->items) {
      if (!name.is(Json::Type::kString)) return refuse(ErrorCode::kArgument, "\"required\" names no text", *required);
      add(name.text, true);
    }
  }
  return names;
}

// What the value of a member has to satisfy, if there can be such a member.
Result<SchemaCompiler::MemberTerms> SchemaCompiler::property_terms(const Alternative& all, const std::string& name) {
  Terms terms;
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) {
      const Json* value = this->member(*term.value, name);
      if (value == nullptr) return MemberTerms{.possible = false};
      terms.push_back({value, Term::Kind::kEquals});
      continue;
    }
    const Json& schema = *term.value;
    bool named = false;
    if (const Json* properties = schema.find("properties")) {
      const auto made = negated_members_.find(properties);
      if (made != negated_members_.end() && made->second.first == name) {
        terms.push_back({made->second.second, Term::Kind::kNot});
      }
      if (const Json* value = this->member(*properties, name)) {
        named = true;
        terms.push_back({value});
      }
    }
    if (const Json* patterns = schema.find("patternProperties")) {
      if (!patterns->is_object()) return refuse(ErrorCode::kArgument, "\"patternProperties\" is no object", *patterns);
      for (const auto& [text, value] : patterns->members) {
        LFM_ASSIGN(const RegexId regex, pattern(value, text, 0));
        std::string spelt;
        grammar_.notation.spellings[0].append(name, spelt);
        if (!pool().matches(regex, spelt)) continue;
        named = true;
        terms.push_back({&value});
      }
    }
    if (!named) {
      if (const Json* rest = additional(schema)) terms.push_back({rest});
    }
    if (const Json* names = schema.find("propertyNames")) {
      LFM_ASSIGN(const RegexId regex, names_regex({{names}}, 0));
      std::string spelt;
      grammar_.notation.spellings[0].append(name, spelt);
      if (!pool().matches(regex, spelt)) return MemberTerms{.possible = false};
    }
  }
  for (const Term& term : terms) {
    if (term.kind == Term::Kind::kSchema && term.value->is_false()) return MemberTerms{.possible = false};
  }
  return MemberTerms{.terms = std::move(terms)};
}

// The texts, spelt, that satisfy schemas.
Result<RegexId> SchemaCompiler::names_regex(const Alternative& schemas, std::size_t spelling) {
  LFM_ASSIGN(const auto alternatives, expand(schemas));
  std::vector<RegexId> parts;
  for (const Alternative& one : alternatives) {
    LFM_ASSIGN(const Types types, types_of(one));
    if ((types & kString) == 0) continue;
    LFM_ASSIGN(const auto values, literals(one, kString));
    LFM_ASSIGN(const StringRule rule, string_rule(one, spelling));
    RegexId regex = content(rule, spelling);
    if (values) {
      std::vector<std::string> texts;
      for (const Json* value : *values) grammar_.notation.spellings[spelling].append(value->text, texts.emplace_back());
      regex = pool().both({regex, pool().one_of(std::move(texts))});
    }
    parts.push_back(regex);
  }
  return pool().either(std::move(parts));
}

Result<const SchemaCompiler::Demand*> SchemaCompiler::demand_of(const Alternative& all) {
  const Demand* demand = nullptr;
  for (const Term& term : all) {
    const Json* marker = term.kind == Term::Kind::kSchema ? term.value->find(kSomeMember) : nullptr;
    if (marker == nullptr) continue;
    if (demand != nullptr) return unsupported("not", *term.value, "of members beside another one");
    demand = &demands_.at(marker);
  }
  return demand;
}

// The names that it speaks of, spelt; what comes behind them is for others to say.
Result<RegexId> SchemaCompiler::names_regex(const Demand& demand, std::size_t spelling) {
  if (demand.names == Demand::Names::kLike) {
    return pattern(*demand.schema, demand.pattern, spelling, Pattern::Extent::kLoosely);
  }
  if (demand.names == Demand::Names::kUnlike) return names_regex({{demand.schema, Term::Kind::kNot}}, spelling);
  std::vector<RegexId> parts;
  if (const Json* properties = demand.schema->find("properties"); properties != nullptr) {
    std::vector<std::string> known;
    for (const auto& [name, value] : properties->members) {
      grammar_.notation.spellings[spelling].append(name, known.emplace_back());
    }
    parts.push_back(pool().negate(pool().one_of(std::move(known))));
  }
  if (const Json* patterns = demand.schema->find("patternProperties"); patterns != nullptr) {
    for (const auto& [text, value] : patterns->members) {
      LFM_ASSIGN(const RegexId regex, pattern(value, text, spelling, Pattern::Extent::kLoosely));
      parts.push_back(pool().negate(regex));
    }
  }
  return pool().both(std::move(parts));
}

Result<ObjectRule> SchemaCompiler::object_rule(const Alternative& all, bool& possible) {
  ObjectRule rule;
  possible = false;
  for (const Term& term : all) {
    if (term.kind != Term::Kind::kSchema) continue;
    LFM_ASSIGN(const std::uint32_t min, count(*term.value, "minProperties", 0));
    LFM_ASSIGN(const std::uint32_t max, count(*term.value, "maxProperties", kNoLimit));
    rule.min = std::max(rule.min, min);
    rule.max = std::min(rule.max, max);
  }
  LFM_ASSIGN(const Demand* demand, demand_of(all));
  if (demand != nullptr && rule.max != kNoLimit) {
    return unsupported("not", *demand->schema, "of members beside \"maxProperties\"");
  }
  rule.wants = demand != nullptr;
  RegexId wanted_names = RegexPool::kNothing;
  if (demand != nullptr) {
    LFM_ASSIGN(wanted_names, names_regex(*demand, 0));
  }
  LFM_ASSIGN(const auto names, property_names(all));
  for (const auto& [name, required] : names) {
    LFM_ASSIGN(MemberTerms member, property_terms(all, name));
    PropertyRule property;
    property.name = name;
    property.required = required;
    for (const Spelling& spelling : grammar_.notation.spellings) spelling.append(name, property.spelt.emplace_back());
    if (!member.possible) {
      if (required) return rule;
      // Kept until the names of the rest are worked out, which it is none of.
      property.node = never_;
    } else if (demand != nullptr && pool().matches(wanted_names, property.spelt[0])) {
      std::tie(property.node, property.wanted) = wanted_nodes(*demand, member.terms);
    } else {
      property.node = node_for(std::move(member.terms));
    }
    rule.properties.push_back(std::move(property));
  }
  LFM_TRY(add_rest(all, demand, rule));
  possible = rule.min <= rule.max;
  return rule;
}

// Of a member's values: those that aren't wanted, and those that are.
std::pair<NodeId, NodeId> SchemaCompiler::wanted_nodes(const Demand& demand, const Terms& terms) {
  if (demand.no_value == nullptr) return {never_, node_for(terms)};
  Terms unwanted = terms, wanted = terms;
  unwanted.push_back({demand.no_value});
  wanted.push_back({demand.no_value, Term::Kind::kNot});
  return {node_for(std::move(unwanted)), node_for(std::move(wanted))};
}

// Members that no schema names: one rule for each set of patterns that a name may match.
Status SchemaCompiler::add_rest(const Alternative& all, const Demand* demand, ObjectRule& rule) {
  std::vector<std::pair<const std::string*, const Json*>> patterns;  // and a place for errors
  for (const Term& term : all) {
    if (term.kind == Term::Kind::kEquals) return {};
    const Json* given = term.value->find("patternProperties");
    if (given == nullptr) continue;
    for (const auto& member : given->members) {
      const auto& text = member.first;
      if (std::none_of(patterns.begin(), patterns.end(), [&](const auto& p) { return *p.first == text; })) {
        patterns.emplace_back(&text, &member.second);
      }
    }
  }
  if (patterns.size() > kMaxPatterns) {
    return refuse(ErrorCode::kLimit, "more than 6 patterns of \"patternProperties\"", *patterns[0].second);
  }
  for (std::size_t set = 0; set < std::size_t{1} << patterns.size(); ++set) {
    Terms terms;
    bool open = true;
    const auto in_set = [&](const std::string& text) {
      for (std::size_t i = 0; i < patterns.size(); ++i)
        if (*patterns[i].first == text) return (set >> i & 1) != 0;
      return false;
    };
    for (const Term& term : all) {
      bool named = false;
      if (const Json* given = term.value->find("patternProperties")) {
        for (const auto& [text, value] : given->members) {
          if (!in_set(text)) continue;
          named = true;
          terms.push_back({&value});
        }
      }
      if (const Json* rest = additional(*term.value); rest != nullptr && !named) terms.push_back({rest});
    }
    for (const Term& term : terms) open = open && !term.value->is_false();
    if (!open) continue;
    for (const bool wanted : {false, true}) {
      if (wanted && demand == nullptr) continue;

      RestRule rest;
      std::uint32_t names = 0;
      for (std::size_t s = 0; s < spellings(); ++s) {
        const Spelling& spelling = grammar_.notation.spellings[s];
        std::vector<RegexId> parts;
        rest.open = rest.open && patterns.empty();
        for (std::size_t i = 0; i < patterns.size(); ++i) {
          LFM_ASSIGN(const RegexId regex,
                     pattern(*patterns[i].second, *patterns[i].first, s, Pattern::Extent::kLoosely));
          parts.push_back((set >> i & 1) != 0 ? regex : pool().negate(regex));
        }
        for (const Term& term : all) {
          if (const Json* given = term.value->find("propertyNames")) {
            LFM_ASSIGN(const RegexId regex, names_regex({{given}}, s));
            parts.push_back(regex);
            rest.open = false;
          }
        }
        if (demand != nullptr) {
          LFM_ASSIGN(const RegexId regex, names_regex(*demand, s));
          parts.push_back(wanted ? regex : pool().negate(regex));
          rest.open = false;
        }
        std::vector<std::string> known;
        for (const PropertyRule& property : rule.properties) known.push_back(property.spelt[s]);
        if (!known.empty()) parts.push_back(pool().negate(pool().one_of(std::move(known))));
        parts.push_back(spelling.strict().any_text(pool()));
        const RegexId quote = pool().byte(static_cast<unsigned char>(spelling.quote));
        const Dfa::State state = grammar_.dfa.start(pool().concat(pool().both(std::move(parts)), quote));
        rest.names.push_back(state);
        if (s == 0) names = grammar_.dfa.matches_left(state);
      }
      if (rest.names[0] == Dfa::kDead) continue;
      if (wanted) {
        std::tie(rest.node, rest.wanted) = wanted_nodes(*demand, terms);
      } else {
        rest.node = node_for(terms);
      }
      rule.rest.push_back(std::move(rest));
      rule.rest_names = std::min(rule.rest_names + names, Dfa::kMany);
    }
  }
  return {};
}

}  // namespace lfm::constrain
