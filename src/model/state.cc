#include "model/state.h"

#include <algorithm>

#include "base/try.h"

namespace lfm::model {

Result<State> State::create(const Config& config, std::size_t capacity, kernels::KvFormat format, const Config* draft) {
  LFM_ASSIGN(KvCache kv, KvCache::create(config, capacity, format));
  State state(std::move(kv));
  if (draft != nullptr) {
    LFM_ASSIGN(KvCache draft_kv, KvCache::create(*draft, capacity, format));
    state.draft_kv_.emplace(std::move(draft_kv));
  }
  std::size_t floats = 0;
  for (const LayerConfig& layer : config.layers) {
    state.conv_offsets_.push_back(floats);
    if (!layer.attention()) floats += config.hidden * (config.conv_taps - 1);
  }
  state.conv_.assign(floats, 0.0f);
  return state;
}

Status State::make_room(std::size_t tokens) {
  LFM_TRY(kv_.own(position_, position_ + tokens));
  return draft_kv_ ? draft_kv_->own(position_, position_ + tokens) : Status();
}

State State::fork(std::size_t position, std::span<const float> conv) const {
  State fork(kv_.fork(position));
  if (draft_kv_) fork.draft_kv_.emplace(draft_kv_->fork(position));
  fork.draft_begin_ = draft_begin_;
  fork.conv_offsets_ = conv_offsets_;
  fork.conv_.resize(conv_.size());
  fork.rewind(position, conv);
  return fork;
}

void State::adopt(const State& other, std::size_t positions) {
  kv_.adopt(other.kv_, positions);
  if (draft_kv_ && other.draft_kv_ && other.draft_begin_ <= draft_begin_) draft_kv_->adopt(*other.draft_kv_, positions);
}

void State::rewind(std::size_t position, std::span<const float> conv) noexcept {
  position_ = position;
  draft_begin_ = std::min(draft_begin_, position);
  if (conv.empty()) {
    std::fill(conv_.begin(), conv_.end(), 0.0f);
  } else {
    std::copy(conv.begin(), conv.end(), conv_.begin());
  }
}

}  // namespace lfm::model
