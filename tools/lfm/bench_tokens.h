// What the tests of lfm bench read.
#pragma once

#include <cstdint>
#include <vector>

#include "lfm/types.h"

namespace lfm::cli {

// Tokens without meaning, of the whole vocabulary, so that all experts are used.
inline std::vector<TokenId> random_tokens(std::size_t count, std::size_t vocabulary, std::uint64_t& state) {
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<TokenId>((state >> 33) % vocabulary);
  }
  return tokens;
}

}  // namespace lfm::cli
