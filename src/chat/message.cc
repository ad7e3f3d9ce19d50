#include "chat/message.h"

#include <algorithm>
#include <optional>
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

namespace {

// What a message's tokens say, and how far its reader came.
struct Said {
  Message message;
  bool complete = false;
  bool thought = false;
};

// Nothing where there are none, or some that can't be part of an answer.
std::optional<Said> said_by(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  if (tokens.empty()) return std::nullopt;
  const TokenId turn_start = find_token(tokenizer, kTurnStart);
  const auto usable = [&](TokenId id) {
    return tokenizer.vocabulary().contains(id) && !tokenizer.ends_generation(id) && id != turn_start;
  };
  if (!std::all_of(tokens.begin(), tokens.end(), usable)) return std::nullopt;
  AnswerReader reader(tokenizer);
  Said said;
  MessageBuilder builder(said.message);
  for (const TokenId token : tokens) reader.push(token, builder);
  said.complete = !reader.thinking() && !reader.in_call();
  said.thought = reader.thinking_tokens() > 0;
  reader.finish(builder);
  return said;
}

bool same_words(const Message& a, const Message& b) {
  return a.content == b.content && a.reasoning == b.reasoning && a.tool_calls == b.tool_calls;
}

}  // namespace

bool says_so(const text::Tokenizer& tokenizer, const Message& message, bool without_thinking) {
  const auto said = said_by(tokenizer, message.tokens);
  return said && said->complete && !(without_thinking && said->thought) && same_words(said->message, message);
}

bool says_so_far(const text::Tokenizer& tokenizer, const Message& message) {
  const auto said = said_by(tokenizer, message.tokens);
  return said && same_words(said->message, message);
}

}  // namespace lfm::chat
