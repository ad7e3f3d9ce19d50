// Expressions, and what all of the parser shares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/parser.h"
#include "jinja/token_stream.h"

namespace lfm::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : in_(std::move(tokens)) {}

  // `until`: a name that ends it. Without `condition`, "if" isn't part of it.
  Result<NodePtr> tuple(bool condition = true, std::string_view until = {}, bool in_parentheses = false);
  Result<NodePtr> expression(bool condition = true);

  // What is assigned to: names, also of a namespace's members, and tuples of them.
  Result<NodePtr> target(std::string_view until = {});

  // What stands behind `input` or at its place: "a | b(c)", or without the first bar.
  Result<NodePtr> filters(NodePtr input, bool first_bar);
  Result<std::vector<Argument>> arguments();
  Result<NodePtr> postfix(NodePtr node);

 protected:
  Node node(Op op) const {
    Node out;
    out.op = op;
    out.line = in_.line();
    return out;
  }

  // Tells how deep it is. kLimit.
  Result<NodePtr> finish(Node node);
  Symbol symbol(const std::string& name);  // that the template mentions
  Symbol own_symbol(const std::string& name);

  TokenStream in_;
  Parsed parsed_;
  std::uint32_t nesting_ = 0;

 private:
  Result<NodePtr> either();
  Result<NodePtr> both();
  Result<NodePtr> negation();
  Result<NodePtr> comparison();
  Result<NodePtr> sum();
  Result<NodePtr> concat();
  Result<NodePtr> product();
  Result<NodePtr> power();
  Result<NodePtr> unary(bool with_filters);
  Result<NodePtr> primary();
  Result<NodePtr> number();
  Result<NodePtr> bracketed(Op op, std::string_view end);
  Result<NodePtr> subscript(NodePtr of);
  Result<NodePtr> test(NodePtr of);
  Result<NodePtr> filters_and_tests(NodePtr node);
  template <typename Part, typename Take>
  Result<NodePtr> chain(Op op, Part part, Take take);
};

}  // namespace lfm::jinja
