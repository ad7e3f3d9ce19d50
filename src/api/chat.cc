// Chat, on top of its inside.
#include "lfm/chat.h"

#include <utility>

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

Result<std::vector<TokenId>> Chat::render(std::span<const Message> messages, bool generation_prompt) const {
  return guarded([&] { return inner_->tokens(messages, generation_prompt); });
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
    std::vector<std::size_t> ends;  // so that an edit of a message costs what follows it, and no more
    LFM_ASSIGN(const std::vector<TokenId> prompt, inner_->tokens(messages, true, &ends));
    Answer answer;
    answer.message.role = Role::kAssistant;
    const SessionStats before = session.stats();
    const auto read = session.sync(prompt, {ends, options.cancel, options.prompt_progress});
    if (!read.ok() && read.error().code != ErrorCode::kCancelled) return read.error();
    answer.prompt.reused = session.stats().reused_tokens - before.reused_tokens;
    answer.prompt.evaluated = session.stats().prompt_tokens - before.prompt_tokens;
    if (!read.ok()) {
      answer.finish.reason = FinishReason::kCancelled;
      return answer;
    }
    GenerateOptions structured = options;
    structured.structured = true;
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
