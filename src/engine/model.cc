#include "engine/model.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "model/forward.h"

namespace lfm::engine {
namespace {

// Tokens whose logits are computed together where every token's are wanted: a chunk's worth would be 130 MB.
constexpr std::size_t kLogitsAtOnce = 32;

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, kernels::Isa isa,
                                                 std::size_t chunk_tokens) {
  const unsigned threads = team.size();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(team), kernels::table(isa), chunk_tokens));
  LFM_ASSIGN(runtime->workspace_,
             ops::Workspace::create(model::workspace_dimensions(config, threads, chunk_tokens, config.context_length)));
  if (xnn) {
    for (unsigned i = 0; i < threads; ++i) {
      LFM_ASSIGN(ops::XnnWorker worker, ops::XnnWorker::create(*xnn));
      LFM_TRY(model::prepare_weights(weights, config, worker, threads, chunk_tokens));
      runtime->xnn_.push_back(std::move(worker));
    }
  }
  return runtime;
}

void Runtime::step(const model::Weights& weights, const model::Config& config, model::State& state,
                   std::span<const TokenId> tokens, const Outputs& outputs) {
  const std::lock_guard lock(mutex_);
  const auto run = [&](auto&& body) {
    profile_.start();
    team_.run([&](base::Worker& worker) {
      body(ops::Context{kernels_, worker, workspace_, xnn_.empty() ? nullptr : &xnn_[worker.index()], tokens.size(),
                        worker.index() == 0 ? &profile_ : nullptr});
    });
  };
  run([&](const ops::Context& context) {
    model::forward(context, weights, config, state, tokens, outputs.checkpoints);
    if (outputs.last_logits != nullptr) {
      model::head(context, weights, config, tokens.size() - 1, 1, outputs.last_logits, outputs.stride);
    }
  });
  state.advance(tokens.size());
  if (outputs.each == nullptr) return;
  block_logits_.resize(kLogitsAtOnce * outputs.stride);
  for (std::size_t first = 0; first < tokens.size(); first += kLogitsAtOnce) {
    const std::size_t count = std::min(kLogitsAtOnce, tokens.size() - first);
    run([&](const ops::Context& context) {
      model::head(context, weights, config, first, count, block_logits_.data(), outputs.stride);
    });
    outputs.each(first, count, block_logits_.data());
  }
}

}  // namespace lfm::engine
