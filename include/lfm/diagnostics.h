// What a loaded model is doing and what this machine could do with it: for benchmarks, and for who wants to be sure.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lfm/engine.h"
#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

// The time that forward passes have spent in one of their phases.
struct PhaseTime {
  std::string name;  // "experts in"
  double seconds = 0;
};

// What the machine can do at most: the figures that speeds are judged by.
struct MachineLimits {
  double read_bytes_per_second = 0;       // all threads reading the model's weights from end to end, nothing else
  double int8_operations_per_second = 0;  // all threads multiplying and adding int8 in registers; each counts as two
};

// What a draft network's guesses have taken, in seconds; a block is as many as it guesses at once.
struct DraftTimes {
  std::size_t blocks = 0;
  double layers = 0;
  double head = 0;
  double markov = 0;  // the likeliest tokens, and the chain through them
};

// Of an engine, which it keeps alive. From any number of threads.
class LFM_API Diagnostics {
 public:
  explicit Diagnostics(const Engine& engine) noexcept : model_(engine.model_) {}

  std::vector<PhaseTime> phase_times() const;  // of all sessions since open(); none in a child of fork(2)

  DraftTimes draft_times() const;  // of all sessions since open()

  // For benchmarks with a draft network whose guesses tell nothing, such as one of random weights: from a session's
  // next generation on they are replaced. Each token is `text`'s, which the session's own tokens begin with, with this
  // chance, and otherwise another one; how sure the network is of it is this chance too. An empty text ends it.
  static Status impose_guesses(Session& session, std::span<const TokenId> text, double chance);

  // Measures now what this machine can do at most with the engine's threads: reads all weights six times and
  // multiplies for half a second. Sessions wait meanwhile. kState from a callback of one.
  Result<MachineLimits> measure_limits() const;

  // Waits until weights are where they stay. Load::kAuto moves what is in small pages to huge ones in the background,
  // from ten seconds after open() on, or from this call; what runs afterwards is faster.
  Status settle() const;

 private:
  std::shared_ptr<const engine::Model> model_;
};

}  // namespace lfm
