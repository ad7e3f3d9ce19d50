// How keys and values lie in the cache, in blocks of kKvBlock positions of one KV head:
//
//     keys     f16 [head_dim][64]   keys side by side, so that lanes are keys
//     values   f16 [64][head_dim]   behind them; lanes are channels
//
// A block is a step of attention, so that a step reads one stream of keys and one of values; with blocks of 16 the keys
// of a step are four streams, and decoding from memory took a tenth longer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::kernels {

enum class KvFormat : std::uint8_t { kF16 };
inline constexpr int kKvFormatCount = 1;

inline constexpr std::size_t kKvBlock = 64;  // positions of a block

// The name in saved sessions and of options.
constexpr const char* to_string(KvFormat format) noexcept {
  switch (format) {
    case KvFormat::kF16:
      return "f16";
  }
  return "";
}

constexpr std::size_t key_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  switch (format) {
    case KvFormat::kF16:
      return kKvBlock * head_dim * sizeof(std::uint16_t);
  }
  return 0;
}
constexpr std::size_t value_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  return key_block_bytes(format, head_dim);
}
constexpr std::size_t kv_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  return key_block_bytes(format, head_dim) + value_block_bytes(format, head_dim);
}

}  // namespace lfm::kernels
