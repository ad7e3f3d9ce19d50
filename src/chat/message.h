// An answer's tokens to the message that they say.
#pragma once

#include <span>

#include "chat/answer_reader.h"
#include "lfm/chat.h"
#include "text/tokenizer.h"

namespace lfm::chat {

// Puts an answer's pieces together: what can't be read as a call is part of the text.
class MessageBuilder : public PieceSink {
 public:
  explicit MessageBuilder(Message& message) noexcept : message_(message) {}
  void piece(const Piece& piece) override;

 private:
  Message& message_;
};

// What the tokens of an answer say, with them.
Message read_message(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens);

// Whether the message's tokens say what its other fields do, and can stand in a conversation: its thinking, if there is
// any, is over, and there is none if that is wanted (also none that is empty).
bool says_so(const text::Tokenizer& tokenizer, const Message& message, bool without_thinking);

// Whether they say it but for an end: thinking or a call may be open.
bool says_so_far(const text::Tokenizer& tokenizer, const Message& message);

}  // namespace lfm::chat
