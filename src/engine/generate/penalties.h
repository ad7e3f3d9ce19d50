// Penalties for what the context has said already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lfm/sampling.h"

namespace lfm::engine {

// How often each token is in the window: the end of the context, or all of it.
class Penalties {
 public:
  // `room`: tokens that the context can have. Allocates nothing where all penalties are off, and nothing later.
  Penalties(const SamplingOptions& options, std::size_t vocabulary, std::size_t room);

  void accept(TokenId id) noexcept;
  void clear() noexcept;

  void apply(std::span<float> logits) const noexcept;

 private:
  bool on() const noexcept { return !counts_.empty(); }
  void leave(TokenId id) noexcept;

  float repetition_, presence_, frequency_;
  std::vector<std::uint32_t> counts_;  // of each token
  std::vector<TokenId> distinct_;      // tokens whose count isn't 0
  std::vector<std::uint32_t> place_;   // of each of them in distinct_
  std::vector<TokenId> window_;        // a ring; empty where the window is all of the context
  std::size_t next_ = 0, filled_ = 0;  // of the ring
};

}  // namespace lfm::engine
