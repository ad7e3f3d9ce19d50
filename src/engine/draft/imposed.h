// For benchmarks: guesses of a draft network that are replaced, so that they come true as often as one wants.
#pragma once

#include <cstdint>
#include <vector>

#include "lfm/types.h"

namespace lfm::engine {

struct ImposedGuesses {
  std::vector<TokenId> text;  // what the session will have, from its first token on; empty: nothing is replaced
  double chance = 0;          // that a token of a guess is the text's
  std::uint64_t seed = 1;
};

}  // namespace lfm::engine
