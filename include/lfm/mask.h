// Which tokens may come next, as the application says before each is chosen: what choices, grammars and schemas are
// made of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm {

// Tokens of a vocabulary as bits: token t is bit t % 32 of word t / 32. Bits behind the vocabulary don't count.
struct TokenBits {
  std::span<std::uint32_t> words = {};

  bool has(TokenId id) const noexcept { return (words[word(id)] & bit(id)) != 0; }
  void add(TokenId id) const noexcept { words[word(id)] |= bit(id); }
  void remove(TokenId id) const noexcept { words[word(id)] &= ~bit(id); }
  void clear() const noexcept { std::fill(words.begin(), words.end(), 0u); }

  static std::size_t word(TokenId id) noexcept { return static_cast<std::size_t>(id) / 32; }
  static std::uint32_t bit(TokenId id) noexcept { return std::uint32_t{1} << (static_cast<unsigned>(id) % 32); }
};

// One token to be chosen. Valid during the call.
struct MaskQuery {
  std::span<const TokenId> tokens;  // of the session

  // The end of `tokens` that is the answer so far: what generate() added or, of a structured one, what came behind its
  // thinking, in this call or one before it; nothing while it thinks.
  std::span<const TokenId> answer;
  bool thinking;  // of a structured generation

  std::span<const float> logits;  // (vocabulary) as the network gave them
  TokenBits allowed = {};         // that may come: all, until somebody takes some out
};

// Takes tokens out of `allowed`, or puts others in. An error ends the generation with it, as does nothing left
// (kArgument, "mask").
using MaskCallback = std::function<Status(const MaskQuery&)>;

}  // namespace lfm
