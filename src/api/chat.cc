// Chat, on top of its inside.
#include "lfm/chat.h"

#include <algorithm>

#include "api/answer.h"
#include "api/guarded.h"
#include "base/try.h"
#include "chat/message.h"
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

Result<Answer> Chat::answer(Session& session, std::span<const Message> messages, const GenerateOptions& options,
                            const PieceCallback& callback) const {
  return guarded([&]() -> Result<Answer> {
    if (&session.state_->model().tokenizer != &inner_->tokenizer()) {
      return Error{ErrorCode::kArgument, "belongs to another engine than the chat", "session"};
    }
    LFM_ASSIGN(const Prompt prompt, write_prompt(*inner_, messages));
    return answer_prompt(*inner_, session, prompt, options, callback, nullptr);
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
