// The sample vocabulary as chats use it, and what tests do with answers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/answer_reader.h"
#include "chat/message.h"
#include "chat/template.h"
#include "tests/text/sample.h"

namespace lfm::chat {

enum class Thinks { kNoToken, kToken };

// "<think>" and "</think>" as user-defined tokens 14 and 15, or not in the vocabulary.
inline std::shared_ptr<const text::Tokenizer> chat_tokenizer(Thinks thinks = Thinks::kToken) {
  static const auto make = [](bool tokens) {
    text::OwnedTokenizerData data = text::sample_data();
    if (tokens) {
      data.tokens[14] = kThinkStart;
      data.tokens[15] = kThinkEnd;
      data.types[14] = data.types[15] = static_cast<std::int32_t>(text::TokenType::kUserDefined);
    }
    return std::make_shared<const text::Tokenizer>(text::Tokenizer::create(data.view()).value());
  };
  static const auto with = make(true);
  static const auto without = make(false);
  return thinks == Thinks::kToken ? with : without;
}

inline std::vector<TokenId> tokens_of(std::string_view text, Thinks thinks = Thinks::kToken) {
  return chat_tokenizer(thinks)->encode(text, {.added_tokens = text::AddedTokens::kAll}).value();
}

// Pieces as they come, those of a kind that follow each other put together.
class Collector : public PieceSink {
 public:
  void piece(const Piece& piece) override {
    MessageBuilder(message).piece(piece);
    std::string label = piece.kind == PieceKind::kText        ? "text:"
                        : piece.kind == PieceKind::kReasoning ? "think:"
                        : piece.kind == PieceKind::kToolCall  ? "call:"
                                                              : "bad(" + std::string(piece.error) + "):";
    const bool call = piece.kind == PieceKind::kToolCall;
    if (call || pieces.empty() || !pieces.back().starts_with(label)) pieces.push_back(std::move(label));
    pieces.back() += call ? std::string(piece.name) + std::string(piece.arguments) : std::string(piece.text);
  }

  std::vector<std::string> pieces;
  Message message;
};

using Pieces = std::vector<std::string>;

inline Pieces read(std::span<const TokenId> tokens, Thinks thinks = Thinks::kToken) {
  const auto tokenizer = chat_tokenizer(thinks);
  AnswerReader reader(*tokenizer);
  Collector collector;
  for (const TokenId token : tokens) reader.push(token, collector);
  reader.finish(collector);
  return collector.pieces;
}

inline Pieces read(std::string_view answer, Thinks thinks = Thinks::kToken) {
  return read(tokens_of(answer, thinks), thinks);
}

// What stands between call tokens.
inline Pieces read_calls(std::string_view text) {
  CallStream stream;
  Collector collector;
  stream.push(text, collector);
  stream.finish(false, collector);
  return collector.pieces;
}

inline std::shared_ptr<const Template> make_template(const ChatOptions& options, Thinks thinks = Thinks::kToken) {
  return Template::create(chat_tokenizer(thinks), {}, options).value();
}

}  // namespace lfm::chat
