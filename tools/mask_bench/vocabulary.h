// A vocabulary that stands in for a model's.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace lfm::mask_bench {

// As many tokens as asked for: all bytes, and the commonest words of the texts with and without a space in front, runs
// of digits, of signs and of spaces.
text::Tokenizer make_tokenizer(const std::vector<std::string>& texts, std::size_t tokens);

}  // namespace lfm::mask_bench
