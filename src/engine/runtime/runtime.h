// What forward passes run on: a team of threads and its scratch memory, which sessions share.
//
// There is no thread of its own: whose chunk is first in the queue runs a pass for all that wait (schedule.h), on its
// own thread, and then wakes the next. Before a pass it waits a moment for those who generate and had a token in the
// pass before: without that, two sessions would run pass after pass in turn, each alone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/team.h"
#include "engine/runtime/draft_work.h"
#include "engine/runtime/pass_costs.h"
#include "engine/runtime/schedule.h"
#include "engine/runtime/team_size.h"
#include "kernels/table.h"
#include "lfm/types.h"
#include "model/config.h"
#include "model/draft_network.h"
#include "model/state.h"
#include "model/weights.h"
#include "ops/context.h"

namespace lfm::engine {

class Runtime {
 public:
  // The members that take part in passes of a few rows, and of many; at most all of the team.
  struct Threads {
    unsigned few;
    unsigned many;
  };
  static Result<std::unique_ptr<Runtime>> create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, Threads threads,
                                                 kernels::Isa isa, std::size_t chunk_tokens,
                                                 const model::DraftNetwork* draft = nullptr);

  std::size_t chunk_tokens() const noexcept { return chunk_tokens_; }
  Threads threads() const noexcept { return {size_.sizes()[0], many_.members()}; }
  unsigned members() const noexcept { return team_.size(); }  // as many as the larger of both
  kernels::Isa isa() const noexcept { return kernels_.isa; }
  ops::Profile profile();

  struct Traffic {
    std::size_t passes = 0;   // so far
    std::size_t runs = 0;     // of sessions in them
    std::size_t waiting = 0;  // now, whoever has the team included
  };
  Traffic traffic() const;

  // Runs tokens (1..chunk_tokens of them) through the network and moves the state on.
  //   logits       (outputs, stride) of the last tokens, or null
  //   said         they are a generation's: the next pass takes them all, if it can
  //   beside       null, or gets the rows that others had in the last of its passes
  //   checkpoints  as model::Run's
  //   cancel       null, or what ends it when it becomes true: while it waits for its turn and, where `stops`, on its
  //                way
  //   each         null, or called on this thread for the `outputs` last tokens, block by block: each(first of them,
  //                count, logits) with logits (count, stride), valid during the call. What it throws comes out here.
  struct Step {
    float* logits = nullptr;
    std::size_t stride = 0;
    std::size_t outputs = 1;
    bool said = false;
    std::size_t* beside = nullptr;
    std::span<const ops::StateCopy> checkpoints = {};
    const std::atomic<bool>* cancel = nullptr;
    bool stops = false;
    std::function<void(std::size_t first, std::size_t count, const float* logits)> each = nullptr;
  };
  enum class Outcome {
    kDone,
    kNotBegun,  // cancelled; the state is as it was
    kStopped,   // cancelled on its way; the state's position is anywhere, its convolution states are good for nothing
  };
  Outcome step(const model::Weights& weights, const model::Config& config, model::State& state,
               std::span<const TokenId> tokens, const Step& step);

  // What the draft network guesses behind a state, which has seen all tokens but the last that was said: that one is
  // `anchor`. A block of guesses, at most so many, in order; none where the state isn't fit for it. It has the team
  // meanwhile.
  //   out  gets them;   kNoMemory
  struct Guesses {
    std::span<const model::Guessed> tokens;
    double seconds = 0;  // that they took
  };
  Result<Guesses> guess(model::State& state, TokenId anchor, std::size_t most, std::vector<model::Guessed>& out);

  // Tokens that guesses may be of though nobody has read them yet, before anything runs.
  void may_be_guessed(std::span<const TokenId> tokens) noexcept {
    if (draft_ != nullptr) draft_->shortlist.read(tokens);
  }

  // What guesses took.
  struct DraftTimes {
    std::size_t blocks = 0;
    double layers = 0, head = 0, chain = 0;  // seconds
  };
  DraftTimes draft_times() const;

  // Of passes that had only what goes first.
  PassCosts costs() const;

  // Whether `each` runs on this thread, and would wait for ever for another step.
  bool calls_back_here() const noexcept { return calls_back_.load() == std::this_thread::get_id(); }

  // Runs other work on every member of the team.
  void run(const std::function<void(base::Worker&)>& body);

 private:
  using Clock = std::chrono::steady_clock;
  class Alone;

  Runtime(base::Team team, Threads threads, const kernels::Table& kernels, std::size_t chunk_tokens,
          std::unique_ptr<DraftWork> draft)
      : team_(std::move(team)),
        many_(threads.many, kRoundsOfAPass),
        size_(threads.few),
        few_(size_.sizes().begin(), size_.sizes().end()),
        kernels_(kernels),
        chunk_tokens_(chunk_tokens),
        draft_(std::move(draft)) {}

  bool wait(std::unique_lock<std::mutex>& lock, Job& job);
  void leave(Job& job) noexcept;
  void lead(std::unique_lock<std::mutex>& lock, Job& first, const model::Weights& weights, const model::Config& config);
  void gather(std::unique_lock<std::mutex>& lock, Job& first);
  bool pass(const model::Weights& weights, const model::Config& config, std::span<const model::Run> runs,
            std::span<float* const> logits);
  Outcome step_alone(const model::Weights& weights, const model::Config& config, model::Run run, const Step& step);
  template <typename Body>
  void dispatch(std::size_t rows, Body&& body);

  mutable std::mutex mutex_;
  std::vector<Job*> queue_;  // in the order in which they came
  bool busy_ = false;        // the first of them runs something
  // Sessions that had a token in the last pass and haven't come back for their next one, and until when they are waited
  // for.
  std::size_t expected_ = 0;
  Clock::time_point expected_until_;
  Traffic traffic_;  // but for `waiting`
  PassCosts costs_;
  DraftTimes draft_times_;

  // About as many as a full-size model has: what one pass of many rows shows is known in the next.
  static constexpr unsigned kRoundsOfAPass = 96;

  // Of whoever is busy.
  base::Team team_;
  base::Shares many_;              // of work in passes of many rows
  TeamSize size_;                  // of the team in those of a few
  std::vector<base::Shares> few_;  // of work in them, by that size
  const kernels::Table& kernels_;
  std::size_t chunk_tokens_;
  ops::Workspace workspace_;
  std::vector<float*> outputs_;      // where the logits of a pass go
  std::vector<float> block_logits_;  // (kLogitsAtOnce, stride), once somebody wants every token's
  std::vector<ops::XnnWorker> xnn_;  // one a member, or none
  ops::Profile profile_;
  std::unique_ptr<DraftWork> draft_;           // of the draft network that reads along, or null
  std::atomic<std::thread::id> calls_back_{};  // where `each` runs
};

}  // namespace lfm::engine
