#include "model/config.h"

#include <algorithm>

#include "kernels/attention/kv_format.h"

namespace lfm::model {

const char* to_string(Architecture architecture) noexcept {
  switch (architecture) {
    case Architecture::kLfm2:
      return "lfm2";
    case Architecture::kLfm2Moe:
      return "lfm2moe";
    case Architecture::kDflash:
      break;
  }
  return "dflash";
}

std::size_t Config::attention_layers() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(layers.begin(), layers.end(), [](const LayerConfig& layer) { return layer.attention(); }));
}

std::uint64_t Config::kv_bytes_per_position() const noexcept {
  std::uint64_t kv_heads = 0;
  for (const LayerConfig& layer : layers) kv_heads += layer.kv_heads;
  return kv_heads * kernels::kv_block_bytes({}, head_dim) / kernels::kKvBlock;
}

std::uint64_t Config::conv_state_bytes() const noexcept {
  return conv_layers() * hidden * (conv_taps - 1) * sizeof(float);
}

}  // namespace lfm::model
