#include "model/state.h"

#include <algorithm>

#include "base/checked.h"
#include "base/try.h"

namespace lfm::model {

Result<State> State::create(const Config& config, std::size_t capacity) {
  State state;
  state.capacity_ = base::round_up(capacity, kernels::kStep);
  state.head_dim_ = config.head_dim;
  const std::size_t conv_floats = config.hidden * (config.conv_taps - 1);
  std::size_t bytes = 0;
  std::size_t floats = 0;
  for (const LayerConfig& layer : config.layers) {
    state.layers_.push_back({layer.kv_heads, layer.attention() ? bytes : floats});
    if (layer.attention()) {
      bytes += 2 * layer.kv_heads * state.capacity_ * config.head_dim * sizeof(std::uint16_t);
    } else {
      floats += conv_floats;
    }
  }
  state.conv_.assign(floats, 0.0f);
  LFM_ASSIGN(state.memory_, base::Memory::allocate(bytes));
  return state;
}

ops::KvCache State::kv(std::size_t layer) noexcept {
  const LayerPlace& place = layers_[layer];
  auto* keys = reinterpret_cast<std::uint16_t*>(memory_.data() + place.offset);
  return {keys, keys + place.kv_heads * capacity_ * head_dim_, capacity_};
}

float* State::conv(std::size_t layer) noexcept {
  return conv_.data() + layers_[layer].offset;
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
