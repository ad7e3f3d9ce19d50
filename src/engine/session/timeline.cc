#include "engine/session/timeline.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/try.h"

namespace lfm::engine {

Result<Timeline> Timeline::create(const model::Config& config, std::size_t room, std::size_t snapshot_bytes) {
  LFM_ASSIGN(model::State state, model::State::create(config, room));
  LFM_ASSIGN(model::Snapshots snapshots, model::Snapshots::create(state.all_conv().size(), snapshot_bytes, room));
  const std::size_t stride = base::round_up(config.vocab, kernels::kTileRows);
  Timeline timeline{{}, std::move(state), std::move(snapshots), config.vocab, stride, std::vector<float>(stride)};
  timeline.tokens.reserve(room);
  return timeline;
}

void Timeline::copy_to(Timeline& other) const {
  other.tokens.assign(tokens.begin(), tokens.end());
  other.logits = logits;
  other.logits_valid = logits_valid;
  other.state.share(state);
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const model::Snapshots::Found kept = snapshots.at(i);
    std::copy(kept.conv.begin(), kept.conv.end(), other.snapshots.add(kept.position).begin());
  }
}

void Timeline::keep_state() {
  const model::Snapshots::Found kept = snapshots.find(state.position());
  if (kept.position == state.position() && !kept.conv.empty()) return;
  const std::span<const float> conv = std::as_const(state).all_conv();
  std::copy(conv.begin(), conv.end(), snapshots.add(state.position()).begin());
}

void Timeline::rewind(std::size_t position) noexcept {
  const model::Snapshots::Found found = snapshots.find(position);
  state.rewind(found.position, found.conv);
  snapshots.drop_after(found.position);
  tokens.resize(found.position);
  logits_valid = false;
}

void Timeline::settle() noexcept {
  if (state.position() == tokens.size()) {
    snapshots.drop_after(tokens.size());
  } else {
    clear();
  }
}

}  // namespace lfm::engine
