#include "api/answer.h"

#include "base/try.h"
#include "chat/message.h"

namespace lfm {

Result<Prompt> write_prompt(const chat::Template& form, std::span<const Message> messages) {
  Prompt prompt;
  LFM_ASSIGN(prompt.tokens, form.tokens(messages, true, &prompt.ends));
  return prompt;
}

Result<Answer> answer_prompt(const chat::Template& form, Session& session, const Prompt& prompt,
                             const GenerateOptions& options, const Chat::PieceCallback& callback,
                             const std::function<void()>& read) {
  Answer answer;
  answer.message.role = Role::kAssistant;
  const SessionStats before = session.stats();
  const auto synced = session.sync(prompt.tokens, {prompt.ends, options.cancel, options.prompt_progress});
  if (!synced.ok() && synced.error().code != ErrorCode::kCancelled) return synced.error();
  answer.prompt.reused = session.stats().reused_tokens - before.reused_tokens;
  answer.prompt.evaluated = session.stats().prompt_tokens - before.prompt_tokens;
  if (read) read();
  if (!synced.ok()) {
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
    const auto said = session.tokens().subspan(form.answer_begin(prompt.tokens));
    answer.message.tokens.assign(said.begin(), said.end());
  }
  return answer;
}

}  // namespace lfm
