// The forward pass. Every member of a team calls these functions alike; they meet at barriers inside.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "model/config.h"
#include "model/state.h"
#include "model/weights.h"
#include "ops/context.h"

namespace lfm::model {

inline constexpr std::size_t kMaxRuns = 64;          // of a pass
inline constexpr std::size_t kMaxCheckpoints = 256;  // of a run

// Tokens of one sequence in a pass.
struct Run {
  State* state = nullptr;                            // with room made for the tokens
  std::span<const std::int32_t> tokens;              // ids < vocab; at least one
  std::size_t outputs = 0;                           // 0..tokens: the last layer's FFN costs as much for each
  std::span<const ops::StateCopy> checkpoints = {};  // at positions behind the tokens, ascending
  const std::atomic<bool>* stop = nullptr;           // null, or somebody's wish that the pass ends
};

// Layers whose inputs somebody wants, and who takes them: every member calls take(c, i) alike when the workspace's x,
// (c.tokens, hidden), is what enters layers[i]. It leaves x alone, and ends with a barrier.
struct Taps {
  std::span<const std::size_t> layers = {};
  std::function<void(const ops::Context&, std::size_t)> take = nullptr;
};

// Whether all runs of a pass wanted it to end, by member 0, in even and odd layers.
struct Stopped {
  std::array<bool, 2> seen = {};
};

// Runs the tokens through all layers: the workspace's x then holds the last layer's output of each run's last `outputs`
// tokens, run after run, (all outputs, hidden), and the states' caches hold the tokens, but their positions stay:
// State::advance() is the caller's. A row's result depends on its own sequence alone.
//   runs  at most kMaxRuns; c.tokens rows in all, at most the workspace's max_tokens
// Whether all runs want an end is looked at once a layer: then every member gets false, and the convolution states, x
// and the checkpoints are good for nothing.
bool forward(const ops::Context& c, const Weights& weights, const Config& config, std::span<const Run> runs,
             Stopped& stopped, const Taps& taps = {});

// Logits of some of forward()'s outputs, from `first` on.
//   logits  of each: (vocab rounded up to 16), of which the floats behind vocab are scratch
void head(const ops::Context& c, const Weights& weights, const Config& config, std::size_t first,
          std::span<float* const> logits);

// The sizes of the workspace that forward() and head() need.
ops::Dimensions workspace_dimensions(const Config& config, unsigned threads, std::size_t max_tokens,
                                     std::size_t max_positions);

}  // namespace lfm::model
