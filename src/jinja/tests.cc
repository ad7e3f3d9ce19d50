// Tests: "x is y".
#include <algorithm>
#include <string_view>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/operate.h"
#include "jinja/strings.h"

namespace lfm::jinja {
namespace {

struct Test {
  std::string_view name;
  bool (*holds)(const Value&);
};

constexpr Test kTests[] = {
    {"defined", [](const Value& v) { return !v.is(Kind::kUndefined); }},
    {"undefined", [](const Value& v) { return v.is(Kind::kUndefined); }},
    {"none", [](const Value& v) { return v.is(Kind::kNone); }},
    {"boolean", [](const Value& v) { return v.is(Kind::kBoolean); }},
    {"true", [](const Value& v) { return v.is(Kind::kBoolean) && v.boolean(); }},
    {"false", [](const Value& v) { return v.is(Kind::kBoolean) && !v.boolean(); }},
    {"integer", [](const Value& v) { return v.is(Kind::kInteger) || v.is(Kind::kBigInteger); }},
    {"float", [](const Value& v) { return v.is(Kind::kFloat); }},
    {"number", [](const Value& v) { return v.is_number(); }},
    {"string", [](const Value& v) { return v.is(Kind::kString); }},
    {"mapping", [](const Value& v) { return v.is(Kind::kDict); }},
    {"sequence",
     [](const Value& v) {
       return v.is(Kind::kString) || v.is(Kind::kDict) || v.is(Kind::kUndefined) ||
              (v.is(Kind::kList) && v.list().form != List::Form::kGenerator);
     }},
    {"iterable",
     [](const Value& v) {
       return v.is(Kind::kString) || v.is(Kind::kDict) || v.is(Kind::kUndefined) || v.is(Kind::kList) ||
              v.is(Kind::kLoop);
     }},
    {"callable", [](const Value& v) { return v.is(Kind::kFunction); }},
    {"escaped", [](const Value&) { return false; }},
};

struct Comparison {
  std::string_view name;
  Operator op;
};

constexpr Comparison kComparisons[] = {
    {"==", Operator::kEqual},
    {"eq", Operator::kEqual},
    {"equalto", Operator::kEqual},
    {"!=", Operator::kUnequal},
    {"ne", Operator::kUnequal},
    {"<", Operator::kLess},
    {"lt", Operator::kLess},
    {"lessthan", Operator::kLess},
    {"<=", Operator::kLessEqual},
    {"le", Operator::kLessEqual},
    {">", Operator::kGreater},
    {"gt", Operator::kGreater},
    {"greaterthan", Operator::kGreater},
    {">=", Operator::kGreaterEqual},
    {"ge", Operator::kGreaterEqual},
    {"in", Operator::kIn},
};

Result<bool> compare_by(Operator op, const Value& a, const Value& b, Budget& budget) {
  if (op == Operator::kIn) return contains(b, a, budget);
  if (op == Operator::kEqual || op == Operator::kUnequal) return equal(a, b, budget) == (op == Operator::kEqual);
  LFM_ASSIGN(const int sign, order(a, b, budget));
  return op == Operator::kLess        ? sign < 0
         : op == Operator::kLessEqual ? sign <= 0
         : op == Operator::kGreater   ? sign > 0
                                      : sign >= 0;
}

template <typename Entry, std::size_t n>
const Entry* by_name(const Entry (&table)[n], std::string_view name) noexcept {
  const auto* found = std::find_if(std::begin(table), std::end(table), [&](const Entry& e) { return e.name == name; });
  return found == std::end(table) ? nullptr : found;
}

constexpr std::string_view kOthers[] = {"odd", "even", "divisibleby", "sameas", "lower", "upper", "filter", "test"};

bool same_as(const Value& a, const Value& b, Budget& budget) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kList) || a.is(Kind::kDict) || a.is(Kind::kFunction)) return a.same_object(b);
  return equal(a, b, budget);
}

Result<bool> is_multiple(const Value& value, const Value& of, std::int64_t rest, Budget& budget) {
  LFM_ASSIGN(const Value modulo, operate(Operator::kModulo, value, of, budget));
  return equal(modulo, Value::integer(rest), budget);
}

// Letters of one kind, at least one, and none of the other.
bool is_cased_as(const Text& text, Text (*change)(const Text&), Text (*other)(const Text&)) {
  return change(text).bytes() == text.bytes() && other(text).bytes() != text.bytes();
}

}  // namespace

bool is_test(std::string_view name) noexcept {
  return by_name(kTests, name) != nullptr || by_name(kComparisons, name) != nullptr ||
         std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers);
}

Result<bool> Machine::test(std::string_view name, const Value& input, const Arguments& arguments) {
  budget_.spend(1);
  if (const Test* found = by_name(kTests, name)) {
    LFM_ASSIGN(const Given given, arguments.bind(""));
    return found->holds(input);
  }
  if (name == "odd" || name == "even") {
    LFM_ASSIGN(const Given given, arguments.bind(""));
    return is_multiple(input, Value::integer(2), name == "odd" ? 1 : 0, budget_);
  }
  if (name == "lower" || name == "upper") {
    LFM_ASSIGN(const Given given, arguments.bind(""));
    if (!input.is(Kind::kString)) return false;
    return name == "lower" ? is_cased_as(input.text(), lower, upper) : is_cased_as(input.text(), upper, lower);
  }
  if (name == "filter" || name == "test") {
    return input.is(Kind::kString) && (name == "filter" ? is_filter(input.bytes()) : is_test(input.bytes()));
  }
  if (!is_test(name)) return failure("there is no test '" + std::string(name) + "' here");
  LFM_ASSIGN(const Given given, arguments.bind("other"));
  if (const Comparison* found = by_name(kComparisons, name)) return compare_by(found->op, input, given[0], budget_);
  if (name == "sameas") return same_as(input, given[0], budget_);
  return is_multiple(input, given[0], 0, budget_);
}

}  // namespace lfm::jinja
