#include "api/answer.h"

#include <utility>

#include "api/alone.h"
#include "base/try.h"
#include "chat/answer_reader.h"
#include "chat/message.h"

namespace lfm {

Result<Prompt> write_prompt(const chat::Template& form, std::span<const Message> messages, bool continue_last) {
  Prompt prompt;
  if (continue_last) {
    LFM_ASSIGN(chat::Template::Open open, form.open_end(messages, prompt.ends));
    prompt.tokens = std::move(open.tokens);
    prompt.answer_begin = open.answer_begin;
    return prompt;
  }
  LFM_ASSIGN(prompt.tokens, form.tokens(messages, true, &prompt.ends));
  prompt.answer_begin = form.answer_begin(prompt.tokens);
  return prompt;
}

Result<Answer> answer_prompt(const chat::Template& form, engine::SessionState& session, const Prompt& prompt,
                             const GenerateOptions& options, const Chat::PieceCallback& callback,
                             const std::function<void()>& read) {
  Answer answer;
  answer.message.role = Role::kAssistant;
  chat::MessageBuilder builder(answer.message);
  chat::AnswerReader said_before(form.tokenizer());
  if (options.continue_last) said_before.resume(prompt.tokens, builder);
  const auto keep_tokens = [&](std::span<const TokenId> tokens) {
    if (!prompt.answer_begin) return;
    const auto said = tokens.subspan(*prompt.answer_begin);
    answer.message.tokens.assign(said.begin(), said.end());
  };
  const SessionStats before = session.stats();
  const auto synced = engine::alone(session, [&] {
    return session.sync(prompt.tokens, {prompt.ends, options.cancel, options.prompt_progress});
  });
  if (!synced.ok() && synced.error().code != ErrorCode::kCancelled) return synced.error();
  answer.prompt.reused = session.stats().reused_tokens - before.reused_tokens;
  answer.prompt.evaluated = session.stats().prompt_tokens - before.prompt_tokens;
  if (read) read();
  if (!synced.ok()) {
    answer.finish.reason = FinishReason::kCancelled;
    said_before.finish(builder);
    if (options.continue_last) keep_tokens(prompt.tokens);
    return answer;
  }
  GenerateOptions structured = options;
  structured.structured = true;
  const auto take = [&](const Piece& piece) {
    builder.piece(piece);
    return !callback || callback(piece);
  };
  LFM_ASSIGN(answer.finish, engine::alone(session, [&] { return session.generate(structured, take, form.thinks()); }));
  // After a stop string the session holds more than the message says.
  if (answer.finish.reason != FinishReason::kStop) keep_tokens(session.tokens());
  return answer;
}

}  // namespace lfm
