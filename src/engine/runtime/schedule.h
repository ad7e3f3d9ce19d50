// Who takes part in the next pass.
//
// Chunks of sessions wait in the order in which they came. A pass takes every single token that waits, so that whoever
// generates gets one each pass, and fills up with rows of prompts, first come first served. The first of the queue is
// in every pass: nobody starves. A prompt beside single tokens takes part with a few rows only, which lengthen the pass
// little, and its chunk goes through several passes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <span>

#include "model/forward.h"

namespace lfm::engine {

// A session's chunk that waits for passes, or work that wants the team for itself.
struct Job {
  model::Run run = {};                        // the whole chunk; no tokens: work of its own
  float* logits = nullptr;                    // of its last token, or null
  const std::atomic<bool>* cancel = nullptr;  // null, or what ends its waiting
  std::size_t done = 0;                       // tokens that ran
  bool running = false;                       // in the pass that runs now
  bool stopped = false;                       // a pass ended on its way
  std::condition_variable changed = {};       // it is first, or over, or those it waits for are here

  bool alone() const noexcept { return run.tokens.empty(); }
  std::size_t left() const noexcept { return run.tokens.size() - done; }
  bool over() const noexcept { return stopped || (!alone() && left() == 0); }
  // Its next so many rows.
  model::Run next(std::size_t rows) const noexcept;
};

// Rows of a job in a pass.
struct Share {
  Job* job;
  std::size_t rows;
};

// Rows of prompts in a pass with single tokens.
inline constexpr std::size_t kRowsBesideTokens = 64;

// The shares of the next pass, in the order of the queue, at most most_rows in all: those of `waiting`, whose first is
// one with tokens. Gives their number.
std::size_t share_out(std::span<Job* const> waiting, std::size_t most_rows, std::span<Share, model::kMaxRuns> shares);

}  // namespace lfm::engine
