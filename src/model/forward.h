// The forward pass. Every member of a team calls these functions alike; they meet at barriers inside.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "model/config.h"
#include "model/state.h"
#include "model/weights.h"
#include "ops/context.h"

namespace lfm::model {

// Somebody's wish to end a pass, and what the team has made of it.
struct Stop {
  const std::atomic<bool>& wanted;
  std::array<bool, 2> seen = {};  // by member 0, in even and odd layers
};

// Runs the tokens through all layers: the workspace's x then holds the last layer's output for the last `outputs` of
// them, (outputs, hidden), and the state's caches hold the tokens, but its position stays: State::advance() is the
// caller's.
//   tokens       ids < vocab; c.tokens of them, at most the workspace's max_tokens and the state's free positions
//   outputs      0..tokens: the last layer's output costs a layer's FFN for each
//   checkpoints  copies to be made of State::all_conv() as it is after some of the tokens, ascending; at most
//                kMaxCheckpoints
//   stop         null, or looked at once a layer: where it says so the pass ends early, and every member gets false.
//                Then the convolution states, x and the checkpoints are good for nothing.
inline constexpr std::size_t kMaxCheckpoints = 256;
bool forward(const ops::Context& c, const Weights& weights, const Config& config, State& state,
             std::span<const std::int32_t> tokens, std::size_t outputs, std::span<const ops::StateCopy> checkpoints,
             Stop* stop);

// Logits of `count` tokens, from `first` of forward()'s outputs.
//   logits (count, stride), stride >= vocab rounded up to 16; the floats behind vocab are scratch
void head(const ops::Context& c, const Weights& weights, const Config& config, std::size_t first, std::size_t count,
          float* logits, std::size_t stride);

// The sizes of the workspace that forward() and head() need.
ops::Dimensions workspace_dimensions(const Config& config, unsigned threads, std::size_t max_tokens,
                                     std::size_t max_positions);

}  // namespace lfm::model
