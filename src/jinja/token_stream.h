// Tokens, one after the other, for the parser.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/lexer.h"

namespace lfm::jinja {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& current() const noexcept { return tokens_[at_]; }
  const Token& next() const noexcept { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  std::uint32_t line() const noexcept { return current().line; }
  bool is(TokenType type) const noexcept { return current().type == type; }
  bool is(TokenType type, std::string_view text) const noexcept { return is(type) && current().text == text; }
  bool is_name(std::string_view name) const noexcept { return is(TokenType::kName, name); }
  bool is_operator(std::string_view text) const noexcept { return is(TokenType::kOperator, text); }

  void skip() noexcept {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool take_name(std::string_view name) noexcept { return take(TokenType::kName, name); }
  bool take_operator(std::string_view text) noexcept { return take(TokenType::kOperator, text); }

  Error unexpected() const {
    const Token& token = current();
    const char* kinds[] = {"text",
                           "{{",
                           "the end of an expression",
                           "{%",
                           "the end of a tag",
                           "a name",
                           "a string",
                           "a number",
                           "a number",
                           "an operator",
                           "the end of the template"};
    std::string what = kinds[static_cast<std::size_t>(token.type)];
    if (token.type == TokenType::kName || token.type == TokenType::kOperator) what = "'" + token.text + "'";
    return at_line(ErrorCode::kUnsupported, "unexpected " + what, token.line);
  }

  Status expect(TokenType type) {
    if (!is(type)) return unexpected();
    skip();
    return {};
  }
  Status expect_operator(std::string_view text) {
    if (!take_operator(text)) return unexpected();
    return {};
  }
  Status expect_name(std::string_view name) {
    if (!take_name(name)) return unexpected();
    return {};
  }
  Result<std::string> any_name() {
    if (!is(TokenType::kName)) return unexpected();
    std::string name = current().text;
    skip();
    return name;
  }

 private:
  bool take(TokenType type, std::string_view text) noexcept {
    if (!is(type, text)) return false;
    skip();
    return true;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace lfm::jinja
