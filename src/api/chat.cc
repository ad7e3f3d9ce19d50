// Chat, on top of its inside.
#include "lfm/chat.h"

#include <utility>

#include "base/try.h"
#include "chat/message.h"
#include "chat/template.h"
#include "api/guarded.h"
#include "engine/model.h"

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

Result<std::vector<TokenId>> Chat::render(std::span<const Message> messages, bool generation_prompt) const {
  return guarded([&] { return inner_->tokens(messages, generation_prompt); });
}

Result<std::string> Chat::render_text(std::span<const Message> messages, bool generation_prompt) const {
  return guarded([&] { return inner_->text(messages, generation_prompt); });
}

Result<Answer> Chat::answer(Session& session, std::span<const Message> messages, const GenerateOptions& options,
                            const PieceCallback& callback) const {
  return guarded([&]() -> Result<Answer> {
    std::vector<std::size_t> ends;  // so that an edit of a message costs what follows it, and no more
    LFM_ASSIGN(const std::vector<TokenId> prompt, inner_->tokens(messages, true, &ends));
    Answer answer;
    LFM_ASSIGN(answer.prompt, session.sync(prompt, ends));
    GenerateOptions structured = options;
    structured.structured = true;
    answer.message.role = Role::kAssistant;
    chat::MessageBuilder builder(answer.message);
    LFM_ASSIGN(answer.finish, session.generate(structured, [&](const Piece& piece) {
      builder.piece(piece);
      return !callback || callback(piece);
    }));
    // After a stop string the session holds more than the message says.
    if (answer.finish.reason != FinishReason::kStop) {
      const auto said = session.tokens().subspan(inner_->answer_begin(prompt));
      answer.message.tokens.assign(said.begin(), said.end());
    }
    return answer;
  });
}

}  // namespace lfm
