#include "jinja/parser.h"

#include <algorithm>
#include <initializer_list>

#include "base/try.h"
#include "jinja/expression_parser.h"

namespace lfm::jinja {
namespace {

constexpr std::uint32_t kMaxBlocks = 60;  // within each other

class StatementParser : private ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Result<Parsed> run() {
    LFM_ASSIGN(parsed_.body, statements({}));
    if (!in_.is(TokenType::kEnd)) return in_.unexpected();
    return std::move(parsed_);
  }

 private:
  // Up to the tag that begins with one of these, behind whose name the parser stands then; without any, to the end.
  Result<Nodes> statements(std::initializer_list<std::string_view> ends, std::string* which = nullptr) {
    Nodes out;
    if (++blocks_ > kMaxBlocks) return at_line(ErrorCode::kLimit, "nested too deeply", in_.line());
    while (!in_.is(TokenType::kEnd)) {
      if (in_.is(TokenType::kData)) {
        Node text = node(Op::kOutput);
        Node constant = node(Op::kConstant);
        constant.constant = Value::string(in_.current().text, Origin::kTemplate);
        in_.skip();
        LFM_TRY(add(std::move(constant), text.parts));
        LFM_TRY(add(std::move(text), out));
      } else if (in_.is(TokenType::kVariableBegin)) {
        in_.skip();
        Node output = node(Op::kOutput);
        LFM_ASSIGN(NodePtr value, tuple());
        output.parts.push_back(std::move(value));
        LFM_TRY(in_.expect(TokenType::kVariableEnd));
        LFM_TRY(add(std::move(output), out));
      } else {
        LFM_TRY(in_.expect(TokenType::kBlockBegin));
        if (!in_.is(TokenType::kName)) return in_.unexpected();
        if (std::find(ends.begin(), ends.end(), in_.current().text) != ends.end()) {
          if (which != nullptr) *which = in_.current().text;
          in_.skip();
          --blocks_;
          return out;
        }
        LFM_ASSIGN(NodePtr made, statement());
        out.push_back(std::move(made));
        LFM_TRY(in_.expect(TokenType::kBlockEnd));
      }
    }
    if (ends.size() > 0) {
      return at_line(ErrorCode::kUnsupported, "there is no {% " + std::string(*ends.begin()) + " %}", in_.line());
    }
    --blocks_;
    return out;
  }

  // The statements behind the tag that ends here.
  Result<Nodes> block(std::initializer_list<std::string_view> ends, std::string* which = nullptr) {
    LFM_TRY(in_.expect(TokenType::kBlockEnd));
    return statements(ends, which);
  }

  Status add(Node made, Nodes& to) {
    LFM_ASSIGN(NodePtr finished, finish(std::move(made)));
    to.push_back(std::move(finished));
    return {};
  }

  Result<NodePtr> statement() {
    const std::string name = in_.current().text;
    if (name == "if") return branches();
    if (name == "for") return loop();
    if (name == "set") return assignment();
    if (name == "macro") return macro();
    if (name == "call") return call_block();
    if (name == "filter") return filter_block();
    if (name == "with") return with();
    if (name == "print") return print();
    Node out = node(Op::kScope);
    if (name == "generation") {  // what an assistant says, for those who train on it: no change to the text
      in_.skip();
      LFM_ASSIGN(out.body, block({"endgeneration"}));
      return finish(std::move(out));
    }
    if (name != "break" && name != "continue") {
      return at_line(ErrorCode::kUnsupported, "there is no statement '" + name + "' here", out.line);
    }
    if (loops_ == 0) return in_.unexpected();
    out.op = name == "break" ? Op::kBreak : Op::kContinue;
    in_.skip();
    return finish(std::move(out));
  }

  Result<NodePtr> print() {
    Node out = node(Op::kOutput);
    in_.skip();
    LFM_ASSIGN(NodePtr value, tuple());
    out.parts.push_back(std::move(value));
    return finish(std::move(out));
  }

  Result<NodePtr> branches() {
    Node out = node(Op::kIf);
    std::string which = "if";
    in_.skip();
    while (which != "endif") {
      Node branch = node(Op::kBranch);
      NodePtr whether;
      const bool last = which == "else";
      if (!last) {
        LFM_ASSIGN(whether, tuple(false));
      }
      branch.parts.push_back(std::move(whether));
      if (last) {
        LFM_ASSIGN(branch.body, block({"endif"}, &which));
      } else {
        LFM_ASSIGN(branch.body, block({"endif", "elif", "else"}, &which));
      }
      LFM_TRY(add(std::move(branch), out.parts));
    }
    return finish(std::move(out));
  }

  Result<NodePtr> loop() {
    Node out = node(Op::kFor);
    in_.skip();
    LFM_ASSIGN(out.target, target("in"));
    LFM_TRY(in_.expect_name("in"));
    LFM_ASSIGN(NodePtr over, tuple(false, "recursive"));
    out.parts.push_back(std::move(over));
    NodePtr whether;
    if (in_.take_name("if")) {
      LFM_ASSIGN(whether, expression());
    }
    out.parts.push_back(std::move(whether));
    out.recursive = in_.take_name("recursive");
    own_symbol("loop");
    std::string which;
    ++loops_;
    LFM_ASSIGN(out.body, block({"endfor", "else"}, &which));
    --loops_;
    if (which == "else") {
      LFM_ASSIGN(out.otherwise, block({"endfor"}));
    }
    return finish(std::move(out));
  }

  Result<NodePtr> assignment() {
    Node out = node(Op::kSet);
    in_.skip();
    LFM_ASSIGN(out.target, target());
    NodePtr value;
    if (in_.take_operator("=")) {
      LFM_ASSIGN(value, tuple());
    } else {
      out.op = Op::kSetBlock;
      LFM_ASSIGN(NodePtr input, finish(node(Op::kPiped)));
      LFM_ASSIGN(value, filters(std::move(input), true));
      LFM_ASSIGN(out.body, block({"endset"}));
    }
    out.parts.push_back(std::move(value));
    return finish(std::move(out));
  }

  Result<std::vector<Argument>> parameters() {
    std::vector<Argument> out;
    LFM_TRY(in_.expect_operator("("));
    while (!in_.is_operator(")")) {
      if (!out.empty()) LFM_TRY(in_.expect_operator(","));
      Argument parameter;
      LFM_ASSIGN(parameter.name, in_.any_name());
      parameter.symbol = symbol(parameter.name);
      if (in_.take_operator("=")) {
        LFM_ASSIGN(parameter.value, expression());
      } else if (!out.empty() && out.back().value != nullptr) {
        return at_line(ErrorCode::kUnsupported, "a parameter without default behind one with it", in_.line());
      }
      out.push_back(std::move(parameter));
    }
    in_.skip();
    return out;
  }

  Result<Nodes> macro_body(std::string_view end) {
    const std::uint32_t outer = loops_;
    loops_ = 0;
    own_symbol("caller");
    own_symbol("varargs");
    own_symbol("kwargs");
    LFM_ASSIGN(Nodes out, block({end}));
    loops_ = outer;
    return out;
  }

  Result<NodePtr> macro() {
    Node out = node(Op::kMacro);
    in_.skip();
    LFM_ASSIGN(out.name, in_.any_name());
    out.symbol = symbol(out.name);
    LFM_ASSIGN(out.arguments, parameters());
    LFM_ASSIGN(out.body, macro_body("endmacro"));
    return finish(std::move(out));
  }

  Result<NodePtr> call_block() {
    Node out = node(Op::kCallBlock);
    in_.skip();
    if (in_.is_operator("(")) {
      LFM_ASSIGN(out.arguments, parameters());
    }
    LFM_ASSIGN(NodePtr call, expression());
    if (call->op != Op::kCall) return at_line(ErrorCode::kUnsupported, "expected a call", out.line);
    out.name = "caller";
    out.parts.push_back(std::move(call));
    LFM_ASSIGN(out.body, macro_body("endcall"));
    return finish(std::move(out));
  }

  Result<NodePtr> filter_block() {
    Node out = node(Op::kFilterBlock);
    in_.skip();
    LFM_ASSIGN(NodePtr input, finish(node(Op::kPiped)));
    LFM_ASSIGN(NodePtr value, filters(std::move(input), false));
    out.parts.push_back(std::move(value));
    LFM_ASSIGN(out.body, block({"endfilter"}));
    return finish(std::move(out));
  }

  Result<NodePtr> with() {
    Node out = node(Op::kWith);
    in_.skip();
    while (!in_.is(TokenType::kBlockEnd)) {
      if (!out.arguments.empty()) LFM_TRY(in_.expect_operator(","));
      Argument one;
      LFM_ASSIGN(one.name, in_.any_name());
      one.symbol = symbol(one.name);
      LFM_TRY(in_.expect_operator("="));
      LFM_ASSIGN(one.value, expression());
      out.arguments.push_back(std::move(one));
    }
    LFM_ASSIGN(out.body, block({"endwith"}));
    return finish(std::move(out));
  }

  std::uint32_t blocks_ = 0;
  std::uint32_t loops_ = 0;  // around what is being read, within its macro
};

}  // namespace

Result<Parsed> parse(std::string_view source) {
  LFM_ASSIGN(std::vector<Token> tokens, tokenize(source));
  return StatementParser(std::move(tokens)).run();
}

}  // namespace lfm::jinja
