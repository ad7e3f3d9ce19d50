// The inside of a Chat: a model's form with tools, over its tokenizer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/form.h"
#include "chat/own_form.h"
#include "lfm/chat.h"
#include "text/tokenizer.h"

namespace lfm::chat {

class Template {
 public:
  // Errors as Chat::create().
  static Result<std::shared_ptr<const Template>> create(std::shared_ptr<const text::Tokenizer> tokenizer,
                                                        const FoundForm& of_model, const ChatOptions& options);

  ChatForm form() const noexcept { return form_.name; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  const std::string& date() const noexcept { return date_; }
  bool thinks() const noexcept { return thinks_; }  // answers may begin with thinking, as far as the form knows
  const text::Tokenizer& tokenizer() const noexcept { return *tokenizer_; }

  // Errors as Chat::render(). `ends`: null, or where the turns begin is appended to it, but for the first.
  Result<std::vector<TokenId>> tokens(std::span<const Message> messages, bool generation_prompt,
                                      std::vector<std::size_t>* ends = nullptr) const;
  Result<std::string> text(std::span<const Message> messages, bool generation_prompt) const;

  // The conversation with its last message left open, as tokens, and where among them what was said of it begins, where
  // that can be told. `ends` as above; errors as Chat::answer() with continue_last.
  struct Open {
    std::vector<TokenId> tokens;
    std::optional<std::size_t> answer_begin;
  };
  Result<Open> open_end(std::span<const Message> messages, std::vector<std::size_t>& ends) const;

  // Where in a rendered prompt the answer begins: before the thinking that the prompt opens.
  std::size_t answer_begin(std::span<const TokenId> prompt) const noexcept;

 private:
  Template(std::shared_ptr<const text::Tokenizer> tokenizer, Form form) noexcept
      : tokenizer_(std::move(tokenizer)), form_(form) {}
  Result<Parts> parts(std::span<const Message> messages, bool generation_prompt) const;
  Status use(const FoundForm& found, const ChatOptions& options);
  bool needs_first_token(const Parts& written) const noexcept;

  std::shared_ptr<const text::Tokenizer> tokenizer_;
  Form form_;
  std::optional<OwnForm> own_;  // where it runs: instead of form_
  FormOptions options_;
  ChatOptions::Custom custom_;
  std::string date_;  // as ChatOptions has it, never empty where the system tells it
  std::vector<std::string> notes_;
  bool thinks_ = false;
};

}  // namespace lfm::chat
