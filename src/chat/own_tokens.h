// Answers in a conversation that a template wrote, in the tokens that the model said them with.
#pragma once

#include <optional>
#include <span>

#include "chat/parts.h"
#include "jinja/text.h"
#include "lfm/chat.h"
#include "text/tokenizer.h"

namespace lfm::chat {

// What a text has of an answer besides its content.
struct SaidParts {
  bool thinking = false;
  bool calls = false;
};

// What the message's tokens say, those parts of it with their tags, whose tokens stay such. Nothing where the
// vocabulary has no tokens for tags that would have to be told. Requires says_so().
std::optional<jinja::Text> said_text(const text::Tokenizer& tokenizer, const Message& message, SaidParts parts);

// Puts the messages' own tokens in the place of answers that were written otherwise and say the same, so that a session
// that holds them needn't evaluate them again. The result points into the messages.
Parts with_own_tokens(Parts written, std::span<const Message> messages, const text::Tokenizer& tokenizer);

}  // namespace lfm::chat
