#include "lfm/diagnostics.h"

#include "api/alone.h"
#include "api/guarded.h"
#include "base/try.h"
#include "engine/draft/imposed.h"
#include "engine/model.h"
#include "engine/runtime/limits.h"
#include "engine/session/session.h"

namespace lfm {

using engine::guarded;

std::vector<PhaseTime> Diagnostics::phase_times() const {
  if (!model_->process.is_this()) return {};
  const ops::Profile profile = model_->runtime->profile();
  std::vector<PhaseTime> times;
  for (std::size_t i = 0; i < ops::kPhases; ++i) times.push_back({ops::kPhaseNames[i], profile.seconds()[i]});
  return times;
}

DraftTimes Diagnostics::draft_times() const {
  const engine::Runtime::DraftTimes times = model_->runtime->draft_times();
  return {times.blocks, times.layers, times.head, times.chain};
}

Status Diagnostics::impose_guesses(Session& session, std::span<const TokenId> text, double chance) {
  return engine::alone(*session.state_, [&]() -> Status {
    if (text.empty()) {
      session.state_->filter_guesses(nullptr);
      return {};
    }
    session.state_->filter_guesses(
        [words = std::vector(text.begin(), text.end()), chance](std::unique_ptr<engine::DraftSource> source) {
          return std::make_unique<engine::Imposed>(std::move(source), words, chance);
        });
    return {};
  });
}

Result<MachineLimits> Diagnostics::measure_limits() const {
  return guarded([&]() -> Result<MachineLimits> {
    LFM_TRY(model_->check_process());
    if (model_->runtime->calls_back_here()) {
      return Error{ErrorCode::kState, "busy with the call that this one comes from", "engine"};
    }
    return engine::measure_limits(*model_->runtime, model_->packed.bytes());
  });
}

Status Diagnostics::settle() const {
  LFM_TRY(model_->check_process());
  model_->packed.settle();
  if (model_->draft != nullptr) model_->draft->packed.settle();
  return {};
}

}  // namespace lfm
