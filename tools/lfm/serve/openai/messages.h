// Messages as OpenAI's dialect has them, and tokens.
#pragma once

#include <optional>
#include <vector>

#include "lfm/chat.h"
#include "lfm/tokenizer.h"
#include "serve/fields.h"

namespace lfm::serve {

// Those of "messages", at least one. Errors name the field within: "messages[3].content".
Result<std::vector<Message>> read_messages(const Fields& fields, std::size_t most);

// A list of tokens of the vocabulary; nothing where the field is missing. kArgument with the index
Result<std::optional<std::vector<TokenId>>> read_tokens(const Fields& fields, const char* name,
                                                        const Tokenizer& tokenizer);

}  // namespace lfm::serve
