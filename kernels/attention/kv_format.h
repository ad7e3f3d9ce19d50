// How keys and values lie in the cache, in blocks of kKvBlock positions of one KV head: first the keys', behind them
// the values', each in a type of its own.
//
//     f16     keys    f16 [head_dim][64]        keys side by side, so that lanes are keys
//             values  f16 [64][head_dim]        lanes are channels
//     q8_0    keys    i8 [head_dim / 2][64][2]  likewise, with two channels of a key side by side
//                     f16 [head_dim / 32][64]   scale of each 32 channels of a key
//             values  i8 [32][head_dim][2]      likewise, with two positions of a channel side by side
//                     f16 [head_dim / 32][64]   scale of each 32 channels of a value
//
// A block is a step of attention, so that a step reads one stream of keys and one of values; with blocks of 16 the keys
// of a step are four streams, and decoding from memory took a tenth longer. Codes lie in pairs since all instruction
// sets multiply and add pairs of 16-bit integers without loss.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::kernels {

enum class KvType : std::uint8_t { kF16, kQ8_0 };
inline constexpr std::size_t kKvTypeCount = 2;

struct KvFormat {
  KvType keys = KvType::kF16;
  KvType values = KvType::kF16;
  bool operator==(const KvFormat&) const = default;
};

inline constexpr std::size_t kKvBlock = 64;         // positions of a block
inline constexpr std::size_t kKvScaleColumns = 32;  // channels of a scale

// The name in saved sessions and of options.
constexpr const char* to_string(KvType type) noexcept {
  switch (type) {
    case KvType::kF16:
      return "f16";
    case KvType::kQ8_0:
      return "q8_0";
  }
  return "";
}

// Of the codes of a block's keys, or of its values: where their scales begin, if they have any.
constexpr std::size_t kv_codes_bytes(KvType type, std::size_t head_dim) noexcept {
  return kKvBlock * head_dim * (type == KvType::kF16 ? sizeof(std::uint16_t) : sizeof(std::int8_t));
}
constexpr std::size_t kv_scales_bytes(KvType type, std::size_t head_dim) noexcept {
  return type == KvType::kF16 ? 0 : kKvBlock * (head_dim / kKvScaleColumns) * sizeof(std::uint16_t);
}

constexpr std::size_t key_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  return kv_codes_bytes(format.keys, head_dim) + kv_scales_bytes(format.keys, head_dim);
}
constexpr std::size_t value_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  return kv_codes_bytes(format.values, head_dim) + kv_scales_bytes(format.values, head_dim);
}
constexpr std::size_t kv_block_bytes(KvFormat format, std::size_t head_dim) noexcept {
  return key_block_bytes(format, head_dim) + value_block_bytes(format, head_dim);
}

}  // namespace lfm::kernels
