#include "model/state.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/try.h"

namespace lfm::model {

Result<State> State::create(const Config& config, std::size_t capacity) {
  State state;
  state.capacity_ = base::round_up(capacity, kernels::kKvBlock);
  state.head_dim_ = config.head_dim;
  const std::size_t conv_floats = config.hidden * (config.conv_taps - 1);
  std::size_t bytes = 0;
  std::size_t floats = 0;
  for (const LayerConfig& layer : config.layers) {
    state.layers_.push_back({layer.kv_heads, layer.attention() ? bytes : floats});
    if (layer.attention()) {
      state.part_holds_keys_.insert(state.part_holds_keys_.end(), layer.kv_heads, true);
      state.part_holds_keys_.insert(state.part_holds_keys_.end(), layer.kv_heads, false);
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

std::size_t State::part_bytes(std::size_t positions) const noexcept {
  return base::round_up(positions, kernels::kKvBlock) * head_dim_ * sizeof(std::uint16_t);
}

void State::copy_part(std::size_t i, std::byte* out) const noexcept {
  if (position_ == 0) return;  // `out` may be null then
  const std::size_t bytes = part_bytes(position_);
  std::memcpy(out, memory_.data() + i * part_stride(), bytes);
  const std::size_t filled = position_ % kernels::kKvBlock;
  if (filled == 0) return;
  // A block of keys is (head_dim, kKvBlock), one of values (kKvBlock, head_dim).
  const std::size_t rows = part_holds_keys_[i] ? head_dim_ : 1;
  const std::size_t width = part_holds_keys_[i] ? 1 : head_dim_;
  auto* block = reinterpret_cast<std::uint16_t*>(out + bytes) - kernels::kKvBlock * head_dim_;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint16_t* end = block + (row + 1) * kernels::kKvBlock * width;
    std::fill(end - (kernels::kKvBlock - filled) * width, end, std::uint16_t{0});
  }
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
