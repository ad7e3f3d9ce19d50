#include "chat/message.h"

#include <algorithm>
#include <string>

#include "chat/structure.h"

namespace lfm::chat {

void MessageBuilder::piece(const Piece& piece) {
  switch (piece.kind) {
    case PieceKind::kText:
    case PieceKind::kMalformedCall:
      message_.content += piece.text;
      break;
    case PieceKind::kReasoning:
      message_.reasoning += piece.text;
      break;
    case PieceKind::kToolCall:
      message_.tool_calls.push_back({std::string(piece.name), std::string(piece.arguments)});
      break;
  }
}

Message read_message(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  Message message = {.role = Role::kAssistant, .tokens = {tokens.begin(), tokens.end()}};
  MessageBuilder builder(message);
  AnswerReader reader(tokenizer);
  for (const TokenId token : tokens) reader.push(token, builder);
  reader.finish(builder);
  return message;
}

bool says_so(const text::Tokenizer& tokenizer, const Message& message, bool without_thinking) {
  if (message.tokens.empty()) return false;
  const TokenId turn_start = find_token(tokenizer, kTurnStart);
  const auto usable = [&](TokenId id) {
    return tokenizer.vocabulary().contains(id) && !tokenizer.ends_generation(id) && id != turn_start;
  };
  if (!std::all_of(message.tokens.begin(), message.tokens.end(), usable)) return false;
  AnswerReader reader(tokenizer);
  Message said;
  MessageBuilder builder(said);
  for (const TokenId token : message.tokens) reader.push(token, builder);
  const bool complete = !reader.thinking() && !reader.in_call();
  reader.finish(builder);
  return complete && (!without_thinking || reader.thinking_tokens() == 0) && said.content == message.content &&
         said.reasoning == message.reasoning && said.tool_calls == message.tool_calls;
}

}  // namespace lfm::chat
