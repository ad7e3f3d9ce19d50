// What forward passes run on: a team of threads and its scratch memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/team.h"
#include "kernels/table.h"
#include "lfm/types.h"
#include "model/config.h"
#include "model/state.h"
#include "model/weights.h"
#include "ops/context.h"

namespace lfm::engine {

// The team and its scratch memory. One forward pass at a time.
class Runtime {
 public:
  static Result<std::unique_ptr<Runtime>> create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, kernels::Isa isa,
                                                 std::size_t chunk_tokens);

  std::size_t chunk_tokens() const noexcept { return chunk_tokens_; }
  unsigned threads() const noexcept { return team_.size(); }
  kernels::Isa isa() const noexcept { return kernels_.isa; }
  ops::Profile profile() const;

  // Runs tokens (1..chunk_tokens of them) through the network and moves the state on.
  // False where `stop` ended it early: the state's position is as before, its convolution states aren't.
  //   last_logits  (stride) of the last token, or null
  //   checkpoints  as model::forward()'s
  //   stop         null, or what ends it when it becomes true
  //   each         null, or called on this thread for blocks of tokens in order: each(first, count, logits) with
  //                logits (count, stride), valid during the call
  struct Outputs {
    float* last_logits = nullptr;
    std::size_t stride = 0;
    std::span<const ops::StateCopy> checkpoints = {};
    const std::atomic<bool>* stop = nullptr;
    std::function<void(std::size_t first, std::size_t count, const float* logits)> each = nullptr;
  };
  bool step(const model::Weights& weights, const model::Config& config, model::State& state,
            std::span<const TokenId> tokens, const Outputs& outputs);

  // Whether `each` runs on this thread, and would wait for ever for another step.
  bool calls_back_here() const noexcept { return calls_back_.load() == std::this_thread::get_id(); }

  // Runs other work on every member of the team.
  void run(const std::function<void(base::Worker&)>& body);

 private:
  Runtime(base::Team team, const kernels::Table& kernels, std::size_t chunk_tokens) noexcept
      : team_(std::move(team)), kernels_(kernels), chunk_tokens_(chunk_tokens) {}

  mutable std::mutex mutex_;
  base::Team team_;
  const kernels::Table& kernels_;
  std::size_t chunk_tokens_;
  ops::Workspace workspace_;
  std::vector<float> block_logits_;  // (kLogitsAtOnce, stride), once somebody wants every token's
  std::vector<ops::XnnWorker> xnn_;  // one a member, or none
  ops::Profile profile_;
  std::atomic<std::thread::id> calls_back_{};  // where `each` runs
};

}  // namespace lfm::engine
