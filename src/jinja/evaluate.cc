// Expressions.
#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/functions.h"
#include "jinja/machine.h"
#include "jinja/methods.h"
#include "jinja/operate.h"
#include "jinja/spell.h"

namespace lfm::jinja {

Result<Value> Machine::evaluate(const Node& node) {
  if (node.op == Op::kConstant) return node.constant;
  budget_.spend(1);
  if (++depth_ > kMaxRunDepth) return at_line(ErrorCode::kLimit, "nested too deeply", node.line);
  auto out = evaluate_any(node);
  --depth_;
  if (!out.ok() && out.error().index == Error::kNone) out.error().index = node.line;
  return out;
}

Result<Value> Machine::evaluate_any(const Node& node) {
  switch (node.op) {
    case Op::kName: {
      const Value* found = find(node.symbol);
      if (found != nullptr) return *found;
      if (!is_function(node.name)) return Value::undefined(&node.name);
      auto function = std::make_shared<Function>();
      function->name = node.name;
      return budget_.made(Kind::kFunction, std::move(function));
    }
    case Op::kTuple:
    case Op::kList: {
      LFM_ASSIGN(std::vector<Value> items, evaluate_all(node.parts));
      return budget_.list(std::move(items), node.op == Op::kTuple ? List::Form::kTuple : List::Form::kList);
    }
    case Op::kDict:
      return dict(node);
    case Op::kAttribute: {
      LFM_ASSIGN(const Value of, evaluate(*node.parts[0]));
      LFM_ASSIGN(Value out, attribute(of, node.name));
      return out.is(Kind::kUndefined) ? Value::undefined(&node.name) : std::move(out);
    }
    case Op::kItem: {
      LFM_ASSIGN(const Value of, evaluate(*node.parts[0]));
      LFM_ASSIGN(const Value which, evaluate(*node.parts[1]));
      return item(of, which);
    }
    case Op::kSlice:
      return sliced(node);
    case Op::kCall:
      return called(node);
    case Op::kFilter: {
      LFM_ASSIGN(const Value input, evaluate(*node.parts[0]));
      LFM_ASSIGN(const Arguments given, arguments(node));
      return filter(node.name, input, given);
    }
    case Op::kTest: {
      LFM_ASSIGN(const Value input, evaluate(*node.parts[0]));
      LFM_ASSIGN(const Arguments given, arguments(node));
      LFM_ASSIGN(const bool result, test(node.name, input, given));
      return Value::boolean(result);
    }
    case Op::kPiped:
      return piped_;
    case Op::kNot: {
      LFM_ASSIGN(const bool result, holds(*node.parts[0]));
      return Value::boolean(!result);
    }
    case Op::kNegate: {
      LFM_ASSIGN(const Value of, evaluate(*node.parts[0]));
      return negated(of);
    }
    case Op::kPlus: {
      LFM_ASSIGN(Value of, evaluate(*node.parts[0]));
      if (!of.is_number()) return failure(std::string("a '") + type_name(of) + "' has no sign");
      return of;
    }
    case Op::kConcat:
      return concat(node);
    case Op::kArithmetic:
      return arithmetic(node);
    case Op::kCompare:
      return compare(node);
    case Op::kAnd:
    case Op::kOr:
      return connect(node);
    case Op::kCondition:
      return condition(node);
    default:
      return failure("this isn't an expression");
  }
}

Result<std::vector<Value>> Machine::evaluate_all(const Nodes& nodes) {
  std::vector<Value> out;
  out.reserve(nodes.size());
  for (const NodePtr& node : nodes) {
    LFM_ASSIGN(Value value, evaluate(*node));
    out.push_back(std::move(value));
  }
  return out;
}

Result<Value> Machine::dict(const Node& node) {
  Dict::Members members;
  for (std::size_t i = 0; i < node.parts.size(); i += 2) {
    LFM_ASSIGN(Value key, evaluate(*node.parts[i]));
    LFM_ASSIGN(Value value, evaluate(*node.parts[i + 1]));
    if (!key.is(Kind::kString) && !key.is_number() && !key.is(Kind::kNone)) {
      return failure(std::string("a '") + type_name(key) + "' is no key");
    }
    bool known = false;
    for (auto& member : members) {
      if (!equal(member.first, key, budget_)) continue;
      member.second = value;
      known = true;
    }
    if (!known) members.emplace_back(std::move(key), std::move(value));
  }
  return budget_.dict(std::move(members));
}

Result<Value> Machine::concat(const Node& node) {
  Text out;
  for (const NodePtr& part : node.parts) {
    LFM_ASSIGN(const Value value, evaluate(*part));
    LFM_TRY(append_str(value, budget_, out));
  }
  return budget_.string(std::move(out));
}

Result<Value> Machine::arithmetic(const Node& node) {
  LFM_ASSIGN(Value left, evaluate(*node.parts[0]));
  Text text;  // of several strings in a row
  bool in_text = false;
  for (std::size_t i = 1; i < node.parts.size(); ++i) {
    LFM_ASSIGN(const Value right, evaluate(*node.parts[i]));
    const Operator op = node.operators[i - 1];
    if (op == Operator::kAdd && right.is(Kind::kString) && (in_text || left.is(Kind::kString))) {
      if (!in_text) text = left.text();
      in_text = true;
      LFM_TRY(budget_.check(text.size() + right.text().size()));
      text.append(right.text());
      continue;
    }
    if (in_text) {
      LFM_ASSIGN(left, budget_.string(std::move(text)));
      in_text = false;
    }
    LFM_ASSIGN(left, operate(op, left, right, budget_));
  }
  return in_text ? budget_.string(std::move(text)) : Result<Value>(std::move(left));
}

Result<Value> Machine::compare(const Node& node) {
  LFM_ASSIGN(Value left, evaluate(*node.parts[0]));
  for (std::size_t i = 1; i < node.parts.size(); ++i) {
    LFM_ASSIGN(Value right, evaluate(*node.parts[i]));
    const Operator op = node.operators[i - 1];
    bool holds = false;
    if (op == Operator::kEqual || op == Operator::kUnequal) {
      holds = equal(left, right, budget_) == (op == Operator::kEqual);
    } else if (op == Operator::kIn || op == Operator::kNotIn) {
      LFM_ASSIGN(const bool in, contains(right, left, budget_));
      holds = in == (op == Operator::kIn);
    } else {
      LFM_ASSIGN(const int sign, order(left, right, budget_));
      holds = op == Operator::kLess        ? sign < 0
              : op == Operator::kLessEqual ? sign <= 0
              : op == Operator::kGreater   ? sign > 0
                                           : sign >= 0;
    }
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

// "and" and "or" give one of their parts, and evaluate none behind it.
Result<Value> Machine::connect(const Node& node) {
  Value out;
  for (const NodePtr& part : node.parts) {
    LFM_ASSIGN(out, evaluate(*part));
    if (truth(out) == (node.op == Op::kOr)) break;
  }
  return out;
}

Result<Value> Machine::condition(const Node& node) {
  LFM_ASSIGN(const bool first, holds(*node.parts[1]));
  const NodePtr& chosen = node.parts[first ? 0 : 2];
  return chosen == nullptr ? Result<Value>(Value()) : evaluate(*chosen);
}

Result<bool> Machine::holds(const Node& node) {
  LFM_ASSIGN(const Value value, evaluate(node));
  return truth(value);
}

Result<Arguments> Machine::arguments(const Node& node) {
  Arguments out;
  for (const Argument& argument : node.arguments) {
    LFM_ASSIGN(Value value, evaluate(*argument.value));
    if (argument.star == Star::kList) {
      LFM_ASSIGN(const Value more, elements(value, budget_));
      out.list.insert(out.list.end(), more.items().begin(), more.items().end());
    } else if (argument.star == Star::kDict) {
      if (!value.is(Kind::kDict)) return failure("expected a mapping behind **");
      for (const auto& [key, each] : value.dict().members) {
        if (!key.is(Kind::kString)) return failure("expected names behind **");
        out.named.emplace_back(key.bytes(), each);
      }
    } else if (argument.name.empty()) {
      out.list.push_back(std::move(value));
    } else {
      out.named.emplace_back(argument.name, std::move(value));
    }
  }
  return out;
}

Result<Value> Machine::called(const Node& node) {
  const Node& what = *node.parts[0];
  if (what.op == Op::kAttribute) {  // without making a value of the method
    LFM_ASSIGN(const Value self, evaluate(*what.parts[0]));
    if (is_method(self, what.name)) {
      LFM_ASSIGN(const Arguments given, arguments(node));
      return call_method(*this, self, what.name, given);
    }
    LFM_ASSIGN(Value function, attribute(self, what.name));
    if (function.is(Kind::kUndefined)) function = Value::undefined(&what.name);
    LFM_ASSIGN(const Arguments given, arguments(node));
    return call(function, given);
  }
  LFM_ASSIGN(const Value function, evaluate(what));
  LFM_ASSIGN(const Arguments given, arguments(node));
  return call(function, given);
}

}  // namespace lfm::jinja
