// Who takes part in the next pass.
//
// Chunks of sessions wait in the order in which they came. A pass takes all tokens that wait of whoever generates, one
// each or with what was guessed behind it, so that everybody gets one each pass, and fills up with rows of prompts,
// first come first served. The first of the queue is in every pass: nobody starves. A prompt beside those who generate
// takes part with a few rows only, which lengthen the pass little, and its chunk goes through several passes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <span>

#include "model/forward.h"

namespace lfm::engine {

// A session's chunk that waits for passes, or work that wants the team for itself.
struct Job {
  model::Run run = {};                        // the whole chunk; no tokens: work of its own
  float* logits = nullptr;                    // (run.outputs, stride) of its last tokens, or null
  std::size_t stride = 0;                     // of logits
  bool generates = false;                     // its tokens are said: all of them go first
  const std::atomic<bool>* cancel = nullptr;  // null, or what ends its waiting
  std::size_t done = 0;                       // tokens that ran
  bool running = false;                       // in the pass that runs now
  bool stopped = false;                       // a pass ended on its way
  std::size_t beside = 0;                     // rows of others in its last pass
  std::condition_variable changed = {};       // it is first, or over, or those it waits for are here

  bool alone() const noexcept { return run.tokens.empty(); }
  std::size_t left() const noexcept { return run.tokens.size() - done; }
  bool goes_first() const noexcept { return generates || left() == 1; }
  bool over() const noexcept { return stopped || (!alone() && left() == 0); }
  // Its next so many rows, with the outputs that are among them.
  model::Run next(std::size_t rows) const noexcept;
  // The logits' place of the first output from there on.
  float* next_logits() const noexcept;
};

// Rows of a job in a pass.
struct Share {
  Job* job;
  std::size_t rows;
};

// Rows of prompts in a pass with what goes first.
inline constexpr std::size_t kRowsBesideTokens = 64;

// The shares of the next pass, in the order of the queue, at most most_rows in all: those of `waiting`, whose first is
// one with tokens. Gives their number.
std::size_t share_out(std::span<Job* const> waiting, std::size_t most_rows, std::span<Share, model::kMaxRuns> shares);

}  // namespace lfm::engine
