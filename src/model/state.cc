#include "model/state.h"

#include <algorithm>

#include "base/try.h"

namespace lfm::model {

Result<State> State::create(const Config& config, std::size_t capacity, kernels::KvFormat format) {
  LFM_ASSIGN(KvCache kv, KvCache::create(config, capacity, format));
  State state(std::move(kv));
  std::size_t floats = 0;
  for (const LayerConfig& layer : config.layers) {
    state.conv_offsets_.push_back(floats);
    if (!layer.attention()) floats += config.hidden * (config.conv_taps - 1);
  }
  state.conv_.assign(floats, 0.0f);
  return state;
}

State State::fork(std::size_t position, std::span<const float> conv) const {
  State fork(kv_.fork(position));
  fork.conv_offsets_ = conv_offsets_;
  fork.conv_.resize(conv_.size());
  fork.rewind(position, conv);
  return fork;
}

void State::rewind(std::size_t position, std::span<const float> conv) noexcept {
  position_ = position;
  if (conv.empty()) {
    std::fill(conv_.begin(), conv_.end(), 0.0f);
  } else {
    std::copy(conv.begin(), conv.end(), conv_.begin());
  }
}

}  // namespace lfm::model
