#include "chat/structure.h"

namespace lfm::chat {

using text::TokenType;
using text::Vocabulary;

TokenId find_token(const text::Tokenizer& tokenizer, std::string_view name) noexcept {
  const TokenId id = tokenizer.vocabulary().find_plain(name);
  if (id == Vocabulary::kNone) return id;
  const TokenType type = tokenizer.vocabulary().type(id);
  return type == TokenType::kControl || type == TokenType::kUserDefined ? id : Vocabulary::kNone;
}

Structure::Structure(const text::Tokenizer& tokenizer) noexcept
    : turn_start(find_token(tokenizer, kTurnStart)),
      think_start(find_token(tokenizer, kThinkStart)),
      think_end(find_token(tokenizer, kThinkEnd)),
      call_start(find_token(tokenizer, kCallStart)),
      call_end(find_token(tokenizer, kCallEnd)) {
  if (think_start == Vocabulary::kNone || think_end == Vocabulary::kNone) think_start = think_end = Vocabulary::kNone;
  if (call_start == Vocabulary::kNone || call_end == Vocabulary::kNone) call_start = call_end = Vocabulary::kNone;
}

}  // namespace lfm::chat
