// Log-probabilities of a token and of the likeliest ones, as the model itself has them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lfm/result.h"
#include "lfm/session.h"

namespace lfm::engine {

class Logprobs {
 public:
  // top: how many of the likeliest; none: nothing is wanted. kArgument: more than the vocabulary has.
  static Result<Logprobs> create(std::optional<std::size_t> top, std::size_t vocabulary);

  bool wanted() const noexcept { return wanted_; }

  // Of a position, whose next token is `chosen`. Logits are finite or -infinity, and one at least is finite.
  void read(std::span<const float> logits, TokenId chosen) noexcept;

  float chosen() const noexcept { return chosen_; }
  std::span<const TokenLogprob> top() const noexcept { return top_; }  // the likeliest first, of equals the lowest id

 private:
  bool wanted_ = false;
  float chosen_ = 0;
  std::vector<TokenLogprob> top_;
};

}  // namespace lfm::engine
