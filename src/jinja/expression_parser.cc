#include "jinja/expression_parser.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace lfm::jinja {
namespace {

constexpr std::uint32_t kMaxNesting = 60;

// How deep the parser is within itself, by brackets and blocks.
class Nesting {
 public:
  explicit Nesting(std::uint32_t& depth) noexcept : depth_(depth) { ++depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --depth_; }

 private:
  std::uint32_t& depth_;
};

void deepen(Node& node, const Nodes& children) {
  for (const NodePtr& child : children) {
    if (child != nullptr) node.depth = std::max(node.depth, child->depth + 1);
  }
}

}  // namespace

Result<NodePtr> ExpressionParser::finish(Node node) {
  deepen(node, node.parts);
  deepen(node, node.body);
  deepen(node, node.otherwise);
  for (const Argument& argument : node.arguments) {
    if (argument.value != nullptr) node.depth = std::max(node.depth, argument.value->depth + 1);
  }
  if (node.depth > kMaxNodeDepth) return at_line(ErrorCode::kLimit, "nested too deeply", node.line);
  return NodePtr(std::make_unique<const Node>(std::move(node)));
}

Symbol ExpressionParser::symbol(const std::string& name) {
  parsed_.words.insert(name);
  return own_symbol(name);
}

Symbol ExpressionParser::own_symbol(const std::string& name) {
  return parsed_.symbols.try_emplace(name, static_cast<Symbol>(parsed_.symbols.size())).first->second;
}

// Parts with operators of one rank between them; take() takes such an operator where there is one.
template <typename Part, typename Take>
Result<NodePtr> ExpressionParser::chain(Op op, Part part, Take take) {
  Node out = node(op);
  LFM_ASSIGN(NodePtr first, part());
  out.parts.push_back(std::move(first));
  while (take(out)) {
    LFM_ASSIGN(NodePtr more, part());
    out.parts.push_back(std::move(more));
  }
  if (out.parts.size() == 1) return std::move(out.parts[0]);
  return finish(std::move(out));
}

Result<NodePtr> ExpressionParser::tuple(bool condition, std::string_view until, bool in_parentheses) {
  Node out = node(Op::kTuple);
  bool is_tuple = false;
  while (true) {
    const bool ends = in_.is(TokenType::kVariableEnd) || in_.is(TokenType::kBlockEnd) || in_.is_operator(")") ||
                      (!until.empty() && in_.is_name(until));
    if (ends) break;
    LFM_ASSIGN(NodePtr element, expression(condition));
    out.parts.push_back(std::move(element));
    if (!in_.take_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !out.parts.empty()) return std::move(out.parts[0]);
  if (!is_tuple && !in_parentheses) return in_.unexpected();
  return finish(std::move(out));
}

Result<NodePtr> ExpressionParser::expression(bool condition) {
  const Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return at_line(ErrorCode::kLimit, "nested too deeply", in_.line());
  LFM_ASSIGN(NodePtr out, either());
  while (condition && in_.is_name("if")) {
    Node choice = node(Op::kCondition);
    in_.skip();
    choice.parts.push_back(std::move(out));
    LFM_ASSIGN(NodePtr whether, either());
    choice.parts.push_back(std::move(whether));
    NodePtr otherwise;
    if (in_.take_name("else")) {
      LFM_ASSIGN(otherwise, expression());
    }
    choice.parts.push_back(std::move(otherwise));
    LFM_ASSIGN(out, finish(std::move(choice)));
  }
  return out;
}

Result<NodePtr> ExpressionParser::either() {
  return chain(
      Op::kOr, [this] { return both(); }, [this](Node&) { return in_.take_name("or"); });
}

Result<NodePtr> ExpressionParser::both() {
  return chain(
      Op::kAnd, [this] { return negation(); }, [this](Node&) { return in_.take_name("and"); });
}

Result<NodePtr> ExpressionParser::negation() {
  if (!in_.is_name("not")) return comparison();
  const Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return at_line(ErrorCode::kLimit, "nested too deeply", in_.line());
  Node out = node(Op::kNot);
  in_.skip();
  LFM_ASSIGN(NodePtr of, negation());
  out.parts.push_back(std::move(of));
  return finish(std::move(out));
}

Result<NodePtr> ExpressionParser::comparison() {
  const auto take = [this](Node& out) {
    constexpr std::pair<std::string_view, Operator> kOps[] = {
        {"==", Operator::kEqual},     {"!=", Operator::kUnequal}, {"<", Operator::kLess},
        {"<=", Operator::kLessEqual}, {">", Operator::kGreater},  {">=", Operator::kGreaterEqual}};
    for (const auto& [text, op] : kOps) {
      if (!in_.take_operator(text)) continue;
      out.operators.push_back(op);
      return true;
    }
    if (in_.take_name("in")) {
      out.operators.push_back(Operator::kIn);
      return true;
    }
    const Token& next = in_.next();
    if (!in_.is_name("not") || next.type != TokenType::kName || next.text != "in") return false;
    in_.skip();
    in_.skip();
    out.operators.push_back(Operator::kNotIn);
    return true;
  };
  return chain(
      Op::kCompare, [this] { return sum(); }, take);
}

Result<NodePtr> ExpressionParser::sum() {
  return chain(
      Op::kArithmetic, [this] { return concat(); },
      [this](Node& out) {
        const bool minus = in_.is_operator("-");
        if (!minus && !in_.is_operator("+")) return false;
        in_.skip();
        out.operators.push_back(minus ? Operator::kSubtract : Operator::kAdd);
        return true;
      });
}

Result<NodePtr> ExpressionParser::concat() {
  return chain(
      Op::kConcat, [this] { return product(); }, [this](Node&) { return in_.take_operator("~"); });
}

Result<NodePtr> ExpressionParser::product() {
  return chain(
      Op::kArithmetic, [this] { return power(); },
      [this](Node& out) {
        constexpr std::pair<std::string_view, Operator> kOps[] = {{"*", Operator::kMultiply},
                                                                  {"/", Operator::kDivide},
                                                                  {"//", Operator::kFloorDivide},
                                                                  {"%", Operator::kModulo}};
        for (const auto& [text, op] : kOps) {
          if (!in_.take_operator(text)) continue;
          out.operators.push_back(op);
          return true;
        }
        return false;
      });
}

Result<NodePtr> ExpressionParser::power() {
  return chain(
      Op::kArithmetic, [this] { return unary(true); },
      [this](Node& out) {
        if (!in_.take_operator("**")) return false;
        out.operators.push_back(Operator::kPower);
        return true;
      });
}

Result<NodePtr> ExpressionParser::unary(bool with_filters) {
  const Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return at_line(ErrorCode::kLimit, "nested too deeply", in_.line());
  NodePtr out;
  if (in_.is_operator("-") || in_.is_operator("+")) {
    Node sign = node(in_.is_operator("-") ? Op::kNegate : Op::kPlus);
    in_.skip();
    LFM_ASSIGN(NodePtr of, unary(false));
    sign.parts.push_back(std::move(of));
    LFM_ASSIGN(out, finish(std::move(sign)));
  } else {
    LFM_ASSIGN(out, primary());
  }
  LFM_ASSIGN(out, postfix(std::move(out)));
  return with_filters ? filters_and_tests(std::move(out)) : Result<NodePtr>(std::move(out));
}

Result<NodePtr> ExpressionParser::filters_and_tests(NodePtr out) {
  while (true) {
    if (in_.is_operator("|")) {
      LFM_ASSIGN(out, filters(std::move(out), true));
    } else if (in_.is_name("is")) {
      LFM_ASSIGN(out, test(std::move(out)));
    } else if (in_.is_operator("(")) {
      LFM_ASSIGN(out, postfix(std::move(out)));
    } else {
      return out;
    }
  }
}

Result<NodePtr> ExpressionParser::filters(NodePtr out, bool first_bar) {
  bool bar = first_bar;
  while (!bar || in_.take_operator("|")) {
    bar = true;
    Node filter = node(Op::kFilter);
    LFM_ASSIGN(filter.name, in_.any_name());
    filter.parts.push_back(std::move(out));
    if (in_.is_operator("(")) {
      LFM_ASSIGN(filter.arguments, arguments());
    }
    LFM_ASSIGN(out, finish(std::move(filter)));
  }
  return out;
}

Result<NodePtr> ExpressionParser::test(NodePtr of) {
  Node out = node(Op::kTest);
  in_.skip();
  const bool negated = in_.take_name("not");
  LFM_ASSIGN(out.name, in_.any_name());
  out.parts.push_back(std::move(of));
  const bool argument = in_.is(TokenType::kString) || in_.is(TokenType::kInteger) || in_.is(TokenType::kFloat) ||
                        in_.is_operator("[") || in_.is_operator("{") ||
                        (in_.is(TokenType::kName) && !in_.is_name("else") && !in_.is_name("or") && !in_.is_name("and"));
  if (in_.is_operator("(")) {
    LFM_ASSIGN(out.arguments, arguments());
  } else if (argument) {
    if (in_.is_name("is")) return in_.unexpected();
    LFM_ASSIGN(NodePtr value, primary());
    Argument only;
    LFM_ASSIGN(only.value, postfix(std::move(value)));
    out.arguments.push_back(std::move(only));
  }
  LFM_ASSIGN(NodePtr made, finish(std::move(out)));
  if (!negated) return made;
  Node inverse = node(Op::kNot);
  inverse.parts.push_back(std::move(made));
  return finish(std::move(inverse));
}

Result<NodePtr> ExpressionParser::target(std::string_view until) {
  Node out = node(Op::kTuple);
  bool is_tuple = false;
  while (!in_.is_operator("=") && !in_.is(TokenType::kBlockEnd) && (until.empty() || !in_.is_name(until))) {
    Node one = node(Op::kName);
    if (in_.take_operator("(")) {
      LFM_ASSIGN(NodePtr within, target());
      LFM_TRY(in_.expect_operator(")"));
      out.parts.push_back(std::move(within));
    } else {
      LFM_ASSIGN(one.name, in_.any_name());
      one.symbol = symbol(one.name);
      if (in_.take_operator(".")) {
        Node member = node(Op::kAttribute);
        LFM_ASSIGN(member.name, in_.any_name());
        LFM_ASSIGN(NodePtr names, finish(std::move(one)));
        member.parts.push_back(std::move(names));
        LFM_ASSIGN(NodePtr made, finish(std::move(member)));
        out.parts.push_back(std::move(made));
      } else {
        LFM_ASSIGN(NodePtr made, finish(std::move(one)));
        out.parts.push_back(std::move(made));
      }
    }
    if (!in_.take_operator(",")) break;
    is_tuple = true;
  }
  if (out.parts.empty()) return in_.unexpected();
  if (!is_tuple) return std::move(out.parts[0]);
  return finish(std::move(out));
}

}  // namespace lfm::jinja
