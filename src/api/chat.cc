// Chat, on top of its inside.
#include "lfm/chat.h"

#include <algorithm>

#include "api/answer.h"
#include "api/guarded.h"
#include "base/try.h"
#include "chat/message.h"
#include "chat/message_json.h"
#include "chat/template.h"
#include "engine/model.h"
#include "engine/session/session.h"

namespace lfm {

using engine::guarded;

Result<Chat> Chat::create(const Engine& engine, const ChatOptions& options) {
  return guarded([&]() -> Result<Chat> {
    const auto& model = engine.model_;
    std::shared_ptr<const text::Tokenizer> tokenizer(model, &model->tokenizer);
    LFM_ASSIGN(auto inner, chat::Template::create(std::move(tokenizer), model->chat_form, options));
    return Chat(std::move(inner));
  });
}

ChatForm Chat::form() const noexcept {
  return inner_->form();
}

const std::vector<std::string>& Chat::notes() const noexcept {
  return inner_->notes();
}

const std::string& Chat::date() const noexcept {
  return inner_->date();
}

Result<std::vector<TokenId>> Chat::render(std::span<const Message> messages, bool generation_prompt,
                                          std::vector<std::size_t>* ends) const {
  return guarded([&] {
    if (ends != nullptr) ends->clear();
    return inner_->tokens(messages, generation_prompt, ends);
  });
}

Result<std::string> Chat::render_text(std::span<const Message> messages, bool generation_prompt) const {
  return guarded([&] { return inner_->text(messages, generation_prompt); });
}

Result<std::size_t> Chat::count(std::span<const Message> messages, bool generation_prompt) const {
  LFM_ASSIGN(const std::vector<TokenId> tokens, render(messages, generation_prompt));
  return tokens.size();
}

Result<std::size_t> Chat::fit(std::span<const Message> messages, std::size_t tokens) const {
  return guarded([&]() -> Result<std::size_t> {
    const auto is_system = [](const Message& message) { return message.role == Role::kSystem; };
    const auto kept =
        static_cast<std::size_t>(std::find_if_not(messages.begin(), messages.end(), is_system) - messages.begin());
    std::vector<std::size_t> cuts = {0};  // numbers of messages that may go
    for (std::size_t i = kept + 1; i < messages.size(); ++i) {
      if (messages[i].role == Role::kUser) cuts.push_back(i - kept);
    }
    const auto size_without = [&](std::size_t cut) -> Result<std::size_t> {
      if (cut == 0) return count(messages);
      std::vector<Message> rest(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(kept));
      rest.insert(rest.end(), messages.begin() + static_cast<std::ptrdiff_t>(kept + cut), messages.end());
      return count(rest);
    };
    // The first that is enough; without any cut most often.
    LFM_ASSIGN(const std::size_t whole, size_without(0));
    if (whole <= tokens) return std::size_t{0};
    LFM_ASSIGN(const std::size_t least, size_without(cuts.back()));
    if (least > tokens) {
      Error error{ErrorCode::kLimit,
                  "the last turn alone takes " + std::to_string(least) + " tokens of " + std::to_string(tokens),
                  "messages"};
      error.have = least;
      error.limit = tokens;
      return error;
    }
    std::size_t too_few = 0, enough = cuts.size() - 1;
    while (enough - too_few > 1) {
      const std::size_t middle = too_few + (enough - too_few) / 2;
      LFM_ASSIGN(const std::size_t size, size_without(cuts[middle]));
      (size <= tokens ? enough : too_few) = middle;
    }
    return cuts[enough];
  });
}

Result<std::string> to_json(std::span<const Message> messages) {
  return guarded([&]() -> Result<std::string> { return chat::write_messages(messages); });
}

Result<std::vector<Message>> messages_from_json(std::string_view json) {
  return guarded([&] { return chat::read_messages(json); });
}

Result<Answer> Chat::answer(Session& session, std::span<const Message> messages, const GenerateOptions& options,
                            const PieceCallback& callback) const {
  return guarded([&]() -> Result<Answer> {
    if (&session.state_->model().tokenizer != &inner_->tokenizer()) {
      return Error{ErrorCode::kArgument, "belongs to another engine than the chat", "session"};
    }
    if (messages.empty()) return Error{ErrorCode::kArgument, "there is nothing to answer", "messages"};
    LFM_ASSIGN(const Prompt prompt, write_prompt(*inner_, messages, options.continue_last));
    return answer_prompt(*inner_, *session.state_, prompt, options, callback, nullptr);
  });
}

Result<Message> Chat::read_answer(std::span<const TokenId> prompt, std::span<const TokenId> tokens) const {
  return guarded([&]() -> Result<Message> {
    if (tokens.size() < prompt.size() || !std::equal(prompt.begin(), prompt.end(), tokens.begin())) {
      return Error{ErrorCode::kArgument, "don't begin with the prompt", "tokens"};
    }
    return chat::read_message(inner_->tokenizer(), tokens.subspan(inner_->answer_begin(prompt)));
  });
}

}  // namespace lfm
