// Where drafts come from: guesses at a session's next tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lfm/types.h"

namespace lfm::engine {

struct Guess {
  std::span<const TokenId> tokens;  // valid until its source is told more
  // How sure the source is of it, below kTrusts; what that is worth is learnt. Of the whole, or of each token, where
  // those before it come.
  std::size_t trust = 0;
  std::span<const std::uint8_t> trusts = {};

  std::size_t trust_in(std::size_t i) const noexcept { return trusts.empty() ? trust : trusts[i]; }
};

class DraftSource {
 public:
  static constexpr std::size_t kTrusts = 8;
  static constexpr std::size_t kLongest = 31;  // tokens of a guess

  virtual ~DraftSource() = default;

  // The session's tokens are these now.
  virtual void follow(std::span<const TokenId> tokens) = 0;
  // One more was said.
  virtual void push(TokenId token) = 0;
  // What may come next, at most `most` tokens, 1 to kLongest; none where it doesn't know.
  virtual Guess guess(std::size_t most) = 0;

  // Which part of the guesses of a trust come true, before that was seen.
  virtual double expected(std::size_t trust) const noexcept = 0;

  // Tokens of its longest guess.
  virtual std::size_t longest() const noexcept { return kLongest; }
  // What asking for so many tokens takes; 0 where it is nothing, or not known yet. Who takes time is asked only where
  // that promises to pay, and for no more tokens than that.
  virtual double seconds(std::size_t) const noexcept { return 0; }
};

}  // namespace lfm::engine
