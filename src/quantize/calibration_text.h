// The tokens that a network is calibrated with: of a text, or of what the network itself says.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "lfm/types.h"
#include "text/tokenizer.h"

namespace lfm::quantize {

using Texts = std::vector<std::vector<TokenId>>;

inline constexpr std::size_t kTextTokens = 512;  // of one text, the first of them included

// Pieces of a text of `window` tokens at most, each with the token that begins a text in front; where the text has that
// token, a new piece begins. Of a longer text than `tokens` pieces from everywhere.   kArgument  too short
Result<Texts> cut_text(const text::Tokenizer& tokenizer, std::string_view text, std::size_t tokens, std::size_t window);

// The same of tokens that the network has said, all of them.
Texts cut_tokens(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens, std::size_t window);

// A few hundred tokens in all: our own openings alone, which nobody went on with.
Result<Texts> opening_texts(const text::Tokenizer& tokenizer, std::size_t window);

// What a text begins with that the network is to go on with: the token that begins a text, and in every fourth one an
// opening of our own (chats, tools, JSON, code, languages).
Result<std::vector<TokenId>> beginning_of_text(const text::Tokenizer& tokenizer, std::size_t number);

}  // namespace lfm::quantize
