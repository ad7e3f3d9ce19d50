#include "engine/runtime/runtime.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "model/forward.h"

namespace lfm::engine {
namespace {

// Tokens whose logits are computed together where every token's are wanted: a chunk's worth would be 130 MB.
constexpr std::size_t kLogitsAtOnce = 32;

// Says on which thread a callback runs, as long as it does.
class CallsBack {
 public:
  explicit CallsBack(std::atomic<std::thread::id>& where) noexcept : where_(where) {
    where_.store(std::this_thread::get_id());
  }
  ~CallsBack() { where_.store({}); }
  CallsBack(const CallsBack&) = delete;
  CallsBack& operator=(const CallsBack&) = delete;

 private:
  std::atomic<std::thread::id>& where_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, kernels::Isa isa,
                                                 std::size_t chunk_tokens) {
  const unsigned threads = team.size();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(team), kernels::table(isa), chunk_tokens));
  LFM_ASSIGN(runtime->workspace_, ops::Workspace::create(model::workspace_dimensions(config, threads, chunk_tokens,
                                                                                     config.max_positions())));
  if (xnn) {
    for (unsigned i = 0; i < threads; ++i) {
      LFM_ASSIGN(ops::XnnWorker worker, ops::XnnWorker::create(*xnn));
      LFM_TRY(model::prepare_weights(weights, config, worker, threads, chunk_tokens));
      runtime->xnn_.push_back(std::move(worker));
    }
  }
  return runtime;
}

bool Runtime::step(const model::Weights& weights, const model::Config& config, model::State& state,
                   std::span<const TokenId> tokens, const Outputs& outputs) {
  const std::lock_guard lock(mutex_);
  if (outputs.each != nullptr) block_logits_.resize(kLogitsAtOnce * outputs.stride);
  const auto run = [&](auto&& body) {
    profile_.start();
    team_.run([&](base::Worker& worker) {
      body(ops::Context{kernels_, worker, workspace_, xnn_.empty() ? nullptr : &xnn_[worker.index()], tokens.size(),
                        worker.index() == 0 ? &profile_ : nullptr});
    });
  };
  const std::atomic<bool> never = false;
  model::Stop stop{outputs.stop != nullptr ? *outputs.stop : never};
  const std::size_t wanted = outputs.each != nullptr ? tokens.size() : outputs.last_logits != nullptr ? 1 : 0;
  std::atomic<bool> done = true;
  run([&](const ops::Context& context) {
    if (!model::forward(context, weights, config, state, tokens, wanted, outputs.checkpoints,
                        outputs.stop ? &stop : nullptr)) {
      done.store(false, std::memory_order_relaxed);
      return;
    }
    if (outputs.last_logits != nullptr) {
      model::head(context, weights, config, wanted - 1, 1, outputs.last_logits, outputs.stride);
    }
  });
  if (!done) return false;
  state.advance(tokens.size());
  if (outputs.each == nullptr) return true;
  for (std::size_t first = 0; first < tokens.size(); first += kLogitsAtOnce) {
    const std::size_t count = std::min(kLogitsAtOnce, tokens.size() - first);
    run([&](const ops::Context& context) {
      model::head(context, weights, config, first, count, block_logits_.data(), outputs.stride);
    });
    const CallsBack here(calls_back_);
    outputs.each(first, count, block_logits_.data());
  }
  return true;
}

ops::Profile Runtime::profile() const {
  if (calls_back_here()) return profile_;  // this thread has the mutex
  const std::lock_guard lock(mutex_);
  return profile_;
}

void Runtime::run(const std::function<void(base::Worker&)>& body) {
  const std::lock_guard lock(mutex_);
  team_.run([&](base::Worker& worker) { body(worker); });
}

}  // namespace lfm::engine
