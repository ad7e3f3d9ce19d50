// A JSON schema to a grammar.
//
// What a value has to satisfy is a set of schemas ("terms"): a property's own schema, and whatever patternProperties,
// allOf, $ref and the like say about it besides. Equal sets are the same node, so that recursion ends. A node's terms
// are expanded to alternatives without any keyword that combines schemas (disjunctive normal form; "not" goes down to
// the keywords it negates), and what the schemas of one alternative say together is a rule of the grammar.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "constrain/match/grammar.h"
#include "constrain/regex/pattern.h"
#include "constrain/schema/json_value.h"
#include "constrain/schema/number.h"
#include "lfm/result.h"

namespace lfm::constrain {

struct Term {
  enum class Kind : std::uint8_t { kSchema, kNot, kEquals };
  const Json* value;
  Kind kind = Kind::kSchema;

  auto operator<=>(const Term&) const = default;
};
using Terms = std::vector<Term>;

// Schemas of which the keywords count that say something about a value by themselves, and values to be equal to.
using Alternative = std::vector<Term>;

// Kinds of values. An integer is a number without a fraction, a fraction one with.
using Types = std::uint8_t;
inline constexpr Types kNull = 1, kBoolean = 2, kInteger = 4, kFraction = 8, kString = 16, kArray = 32, kObject = 64;
inline constexpr Types kNumber = kInteger | kFraction, kAnyType = 127;

class SchemaCompiler {
 public:
  // `schema` has to outlive the compiler. `formats_by_draft`: as SchemaOptions.
  SchemaCompiler(const Json& schema, Grammar& grammar, bool formats_by_draft = false);

  // The node for a schema within the document given.
  Result<NodeId> add(const Json& schema);

  // The rules of the objects of a schema, for arguments in a call's parentheses.
  Result<std::vector<std::uint32_t>> add_arguments(const Json& schema);

  // Builds what was added. Afterwards Grammar::prune().
  Status finish();

 private:
  struct Work;
  struct StringRule;
  struct Wanted;

  // A member that there must be: of a name of this kind, and with a value that doesn't satisfy a schema.
  struct Demand {
    enum class Names : std::uint8_t {
      kLike,    // that the pattern matches
      kUnlike,  // that don't satisfy the schema
      kOthers,  // that the schema's "properties" and "patternProperties" don't speak of
    };
    Names names;
    const Json* schema;
    std::string pattern;
    const Json* no_value;  // null: any value will do
  };
  struct MemberTerms {
    bool possible = true;
    Terms terms = {};
  };

  // expand.cc
  Result<std::vector<Alternative>> expand(const Terms& terms);
  Status expand(Work work, std::vector<Alternative>& out);
  Status apply(const Json& schema, Work& work, std::vector<Alternative>& out, bool& branched);
  Work copy(const Work& work);
  Status branch(const Work& work, const std::vector<Terms>& choices, std::vector<Alternative>& out);
  Status choose(const Json& schema, const std::vector<std::vector<Terms>>& choices, std::size_t at, const Json* one,
                const Work& work, std::vector<Alternative>& out);
  Status one_of(const Json& schema, const Json& choices, const Work& work, std::vector<Alternative>& out);
  Result<bool> are_apart(const Json& schema, const Json& a, const Json& b);
  Result<std::vector<std::vector<Terms>>> conditions(const Json& schema);
  Result<const Json*> resolve(const Json& schema, const Json& ref);

  // negate.cc
  Status negate(const Json& schema, const Work& work, std::vector<Alternative>& out);
  Result<std::vector<Terms>> negations(const Json& schema);

  // scalar.cc
  Result<Types> types_of(const Json& schema);
  Result<Types> types_of(const Alternative& all);
  Status add_scalars(const Alternative& all, Types types, std::vector<RegexId>& out, std::vector<TextRule>& texts);
  Status add_literals(const Alternative& all, const std::vector<const Json*>& values, std::vector<RegexId>& out);
  Result<std::optional<std::vector<const Json*>>> literals(const Alternative& all, Types types);
  Result<NumberSpec> number_spec(const Alternative& all, Types types);
  Result<StringRule> string_rule(const Alternative& all, std::size_t spelling);
  RegexId content(const StringRule& rule, std::size_t spelling);
  void add_word(std::string_view json, std::string_view python, std::vector<RegexId>& out);

  // object.cc
  Result<ObjectRule> object_rule(const Alternative& all, bool& possible);
  Result<MemberTerms> property_terms(const Alternative& all, const std::string& name);
  Result<std::vector<std::pair<std::string, bool>>> property_names(const Alternative& all);
  std::pair<NodeId, NodeId> wanted_nodes(const Demand& demand, const Terms& terms);
  Status add_rest(const Alternative& all, const Demand* demand, ObjectRule& rule);
  Result<RegexId> names_regex(const Alternative& all, std::size_t spelling);
  Result<const Demand*> demand_of(const Alternative& all);
  Result<RegexId> names_regex(const Demand& demand, std::size_t spelling);

  // array.cc
  Result<ArrayRule> array_rule(const Alternative& all, bool& possible);
  Result<Terms> item_terms(const Alternative& all, std::size_t index);
  Result<std::optional<Wanted>> wanted_items(const Alternative& all);

  // schema_compiler.cc
  Status build(NodeId id, const Terms& terms);
  Status add_rules(const Alternative& all, Types types, Node& node);
  Result<bool> is_impossible(const Alternative& all, int depth);
  Result<bool> none_satisfies(const Terms& terms, int depth);
  NodeId node_for(Terms terms);
  Result<std::uint32_t> count(const Json& schema, std::string_view keyword, std::uint32_t otherwise);
  Result<RegexId> pattern(const Json& place, const std::string& text, std::size_t spelling,
                          Pattern::Extent extent = Pattern::Extent::kWithin);
  const Json* member(const Json& object, const std::string& name);
  const Json& made(Json value, const Json& origin);
  const Json& made_type(Types types, const Json& origin);
  Status check_keywords(const Json& schema);
  Status check_limits(const Json& place);
  void find_ids(const Json& value);
  bool is_format(const Json* value) const;  // that counts
  Error refuse(ErrorCode code, std::string message, const Json& place) const;
  Error unsupported(std::string_view keyword, const Json& place, std::string_view why = {}) const;

  RegexPool& pool() noexcept { return grammar_.dfa.pool(); }
  std::size_t spellings() const noexcept { return grammar_.notation.spellings.size(); }

  const Json& root_;
  Grammar& grammar_;
  const Json* unknown_draft_ = nullptr;
  bool old_draft_ = false;  // where "$ref" has no neighbours
  bool formats_count_ = true;
  std::string base_;  // the document's own address
  std::map<Terms, NodeId> ids_;
  std::vector<std::pair<NodeId, Terms>> todo_;
  std::deque<Json> made_;
  std::unordered_map<const Json*, const Json*> origins_;
  std::unordered_map<const Json*, std::pair<std::string, const Json*>> negated_members_;  // of "properties"
  std::unordered_map<const Json*, const Json*> negated_items_;                            // of kNotAllItems and kNoItem
  std::map<const Json*, Demand> demands_;                                                 // of kSomeMember
  std::map<std::pair<const Json*, const Json*>, bool> apart_;
  std::unordered_map<const Json*, std::unordered_map<std::string_view, const Json*>> members_;  // of large objects
  std::map<std::tuple<std::string, std::size_t, Pattern::Extent>, RegexId> patterns_;
  std::unordered_map<std::string, const Json*> anchors_;
  std::unordered_map<std::string, const Json*> refs_;
  std::vector<std::pair<std::uint32_t, const Json*>> uniques_;  // arrays, and whose schema says so
  const Json* one_spelling_ = nullptr;
  NodeId never_ = 0;
  bool nested_ids_ = false;
  std::size_t steps_ = 0;
  int negating_ = 0;       // within "not"
  int approximating_ = 0;  // what is expanded may be more than the schemas allow
};

// What keywords the compiler makes for itself; no schema can spell them.
inline constexpr std::string_view kNotPattern = "\1not pattern";
inline constexpr std::string_view kNotFormat = "\1not format";
inline constexpr std::string_view kSomeMember = "\1some member";
inline constexpr std::string_view kNotAllItems = "\1not all items", kNoItem = "\1no item";
inline constexpr std::string_view kNotEnum = "\1not enum";
inline constexpr std::string_view kTypes = "\1types";
inline constexpr std::string_view kOneSpelling = "\1one spelling";

}  // namespace lfm::constrain
