// What operators stand between: names, constants, brackets, and what follows them.
#include <charconv>
#include <string>
#include <utility>

#include "base/try.h"
#include "jinja/expression_parser.h"

namespace lfm::jinja {

Result<NodePtr> ExpressionParser::primary() {
  Node out = node(Op::kConstant);
  const Token token = in_.current();
  switch (token.type) {
    case TokenType::kName:
      in_.skip();
      if (token.text == "true" || token.text == "True") {
        out.constant = Value::boolean(true);
      } else if (token.text == "false" || token.text == "False") {
        out.constant = Value::boolean(false);
      } else if (token.text == "none" || token.text == "None") {
        out.constant = Value::none();
      } else {
        out.op = Op::kName;
        out.name = token.text;
        out.symbol = symbol(token.text);
      }
      return finish(std::move(out));
    case TokenType::kString: {
      std::string text;
      for (; in_.is(TokenType::kString); in_.skip()) text += in_.current().text;
      parsed_.words.insert(text);
      out.constant = Value::string(std::move(text), Origin::kTemplate);
      return finish(std::move(out));
    }
    case TokenType::kInteger:
    case TokenType::kFloat:
      return number();
    default:
      break;
  }
  if (in_.take_operator("(")) {
    LFM_ASSIGN(NodePtr within, tuple(true, {}, true));
    LFM_TRY(in_.expect_operator(")"));
    return within;
  }
  if (in_.is_operator("[")) return bracketed(Op::kList, "]");
  if (in_.is_operator("{")) return bracketed(Op::kDict, "}");
  return in_.unexpected();
}

Result<NodePtr> ExpressionParser::number() {
  Node out = node(Op::kConstant);
  const Token token = in_.current();
  in_.skip();
  std::string_view digits = token.text;
  if (token.type == TokenType::kFloat) {
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    out.constant = Value::number(value);
    return finish(std::move(out));
  }
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char c = static_cast<char>(digits[1] | 0x20);
    base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
    if (base != 10) digits.remove_prefix(2);
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return at_line(ErrorCode::kUnsupported, "a number that isn't one of 64 bits", token.line);
  }
  out.constant = Value::integer(value);
  return finish(std::move(out));
}

Result<NodePtr> ExpressionParser::bracketed(Op op, std::string_view end) {
  Node out = node(op);
  in_.skip();
  while (!in_.is_operator(end)) {
    if (!out.parts.empty()) LFM_TRY(in_.expect_operator(","));
    if (in_.is_operator(end)) break;
    LFM_ASSIGN(NodePtr element, expression());
    out.parts.push_back(std::move(element));
    if (op != Op::kDict) continue;
    LFM_TRY(in_.expect_operator(":"));
    LFM_ASSIGN(NodePtr value, expression());
    out.parts.push_back(std::move(value));
  }
  in_.skip();
  return finish(std::move(out));
}

Result<NodePtr> ExpressionParser::postfix(NodePtr out) {
  while (true) {
    if (in_.is_operator(".") || in_.is_operator("[")) {
      LFM_ASSIGN(out, subscript(std::move(out)));
    } else if (in_.is_operator("(")) {
      Node call = node(Op::kCall);
      call.parts.push_back(std::move(out));
      LFM_ASSIGN(call.arguments, arguments());
      LFM_ASSIGN(out, finish(std::move(call)));
    } else {
      return out;
    }
  }
}

Result<NodePtr> ExpressionParser::subscript(NodePtr of) {
  Node out = node(Op::kItem);
  out.parts.push_back(std::move(of));
  if (in_.take_operator(".")) {
    if (in_.is(TokenType::kInteger)) {
      LFM_ASSIGN(NodePtr index, number());
      out.parts.push_back(std::move(index));
      return finish(std::move(out));
    }
    out.op = Op::kAttribute;
    LFM_ASSIGN(out.name, in_.any_name());
    parsed_.words.insert(out.name);
    return finish(std::move(out));
  }
  in_.skip();
  const auto ends = [this] { return in_.is_operator("]") || in_.is_operator(":"); };
  NodePtr bounds[3];
  int at = 0;
  for (;; ++at) {
    if (!ends()) {
      LFM_ASSIGN(bounds[at], expression());
    }
    if (at == 2 || !in_.take_operator(":")) break;
    out.op = Op::kSlice;
  }
  LFM_TRY(in_.expect_operator("]"));
  if (out.op == Op::kItem && bounds[0] == nullptr) return in_.unexpected();
  for (int i = 0; i < (out.op == Op::kSlice ? 3 : 1); ++i) out.parts.push_back(std::move(bounds[i]));
  return finish(std::move(out));
}

Result<std::vector<Argument>> ExpressionParser::arguments() {
  std::vector<Argument> out;
  LFM_TRY(in_.expect_operator("("));
  while (!in_.is_operator(")")) {
    if (!out.empty()) LFM_TRY(in_.expect_operator(","));
    if (in_.is_operator(")")) break;
    Argument argument;
    const std::uint32_t line = in_.line();
    if (in_.take_operator("*")) {
      argument.star = Star::kList;
    } else if (in_.take_operator("**")) {
      argument.star = Star::kDict;
    } else if (const Token& next = in_.next();
               in_.is(TokenType::kName) && next.type == TokenType::kOperator && next.text == "=") {
      argument.name = in_.current().text;
      in_.skip();
      in_.skip();
    }
    const bool positional = argument.name.empty() && argument.star != Star::kDict;
    if (positional && !out.empty() && (!out.back().name.empty() || out.back().star == Star::kDict)) {
      return at_line(ErrorCode::kUnsupported, "an argument by position behind one by name", line);
    }
    LFM_ASSIGN(argument.value, expression());
    out.push_back(std::move(argument));
  }
  in_.skip();
  return out;
}

}  // namespace lfm::jinja
