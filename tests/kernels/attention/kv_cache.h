// The cache of some KV heads for the tests of attention.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "tests/support/same_bits.h"

namespace lfm::test {

inline constexpr kernels::KvFormat kF16{};
inline constexpr kernels::KvFormat kQ8{kernels::KvType::kQ8_0, kernels::KvType::kQ8_0};
inline constexpr kernels::KvFormat kKvFormats[] = {
    kF16, {kernels::KvType::kF16, kernels::KvType::kQ8_0}, {kernels::KvType::kQ8_0, kernels::KvType::kF16}, kQ8};

inline std::string name_of(kernels::KvFormat format) {
  return std::string(kernels::to_string(format.keys)) + "_" + kernels::to_string(format.values);
}

inline double half_to_double(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

// Between forbidden pages, with room for `positions` and not a block more. What was not appended is NaN in f16, and
// anything in q8_0.
class KvCache {
 public:
  KvCache(std::size_t positions, std::size_t head_dim, Edge edge, kernels::KvFormat format = {},
          std::size_t kv_heads = 1)
      : head_dim_(head_dim),
        format_(format),
        blocks_((positions + kernels::kKvBlock - 1) / kernels::kKvBlock * kv_heads * block_bytes(), edge) {
    for (std::size_t at = 0; at < blocks_.size(); at += kv_heads * block_bytes()) {
      pages_.push_back(blocks_.as<std::byte>().data() + at);
    }
  }

  kernels::KvFormat format() const { return format_; }
  const std::byte* const* pages() const { return pages_.data(); }

  // Of which head the rest is.
  void select(std::size_t kv_head) { head_ = kv_head; }

  // What there is of an f16 cache.
  std::uint16_t& k(std::size_t position, std::size_t d) { return key_halves(position)[d * kernels::kKvBlock]; }
  std::uint16_t& v(std::size_t position, std::size_t d) {
    return halves(values(position))[position % kernels::kKvBlock * head_dim_ + d];
  }

  // What is kept, whatever the format.
  double key(std::size_t position, std::size_t d) {
    if (format_.keys == kernels::KvType::kF16) return half_to_double(k(position, d));
    const auto* const codes = reinterpret_cast<const std::int8_t*>(page(position));
    const std::size_t slot = position % kernels::kKvBlock;
    return codes[(d / 2 * kernels::kKvBlock + slot) * 2 + d % 2] * half_to_double(key_scale(position, d));
  }
  double value(std::size_t position, std::size_t d) {
    if (format_.values == kernels::KvType::kF16) return half_to_double(v(position, d));
    const auto* const codes = reinterpret_cast<const std::int8_t*>(values(position));
    const std::size_t slot = position % kernels::kKvBlock;
    return codes[(slot / 2 * head_dim_ + d) * 2 + slot % 2] * half_to_double(value_scale(position, d));
  }
  std::uint16_t& key_scale(std::size_t position, std::size_t d) {
    return scale(page(position) + kernels::kv_codes_bytes(format_.keys, head_dim_), position, d);
  }
  std::uint16_t& value_scale(std::size_t position, std::size_t d) {
    return scale(values(position) + kernels::kv_codes_bytes(format_.values, head_dim_), position, d);
  }

  // Has NaN and infinity at a position.
  void spoil(std::size_t position) {
    constexpr std::uint16_t kNan = 0x7fff, kInfinity = 0x7c00;
    for (std::size_t d = 0; d < head_dim_; ++d) {
      const bool scaled_keys = format_.keys == kernels::KvType::kQ8_0;
      (scaled_keys ? key_scale(position, d) : k(position, d)) = d / 32 % 2 == 0 ? kNan : kInfinity;
      const bool scaled_values = format_.values == kernels::KvType::kQ8_0;
      (scaled_values ? value_scale(position, d) : v(position, d)) = d / 32 % 2 == 0 ? kInfinity : kNan;
    }
  }

  void append(const kernels::AttentionKernels& kernels, std::span<const float> key, std::span<const float> value,
              std::size_t position) {
    kernels.of(format_).append(key.data(), value.data(), position % kernels::kKvBlock, head_dim_, page(position));
  }
  void fill(const kernels::AttentionKernels& kernels, std::size_t positions, Random& random) {
    std::vector<float> key(head_dim_), value(head_dim_);
    for (std::size_t position = 0; position < positions; ++position) {
      random.fill(key);
      random.fill(value);
      append(kernels, key, value, position);
    }
  }

 private:
  std::size_t block_bytes() const { return kernels::kv_block_bytes(format_, head_dim_); }
  std::byte* page(std::size_t position) { return pages_[position / kernels::kKvBlock] + head_ * block_bytes(); }
  std::byte* values(std::size_t position) { return page(position) + kernels::key_block_bytes(format_, head_dim_); }
  static std::uint16_t* halves(std::byte* at) { return reinterpret_cast<std::uint16_t*>(at); }
  std::uint16_t* key_halves(std::size_t position) { return halves(page(position)) + position % kernels::kKvBlock; }
  static std::uint16_t& scale(std::byte* scales, std::size_t position, std::size_t d) {
    return halves(scales)[d / 32 * kernels::kKvBlock + position % kernels::kKvBlock];
  }

  std::size_t head_dim_;
  kernels::KvFormat format_;
  GuardedBuffer blocks_;
  std::vector<std::byte*> pages_;
  std::size_t head_ = 0;
};

// The whole of attention for some queries: every split, then the merge. (queries, head_dim)
inline std::vector<float> attend(const kernels::AttentionKernels& kernels, std::span<const float> q,
                                 std::span<const std::uint32_t> limits, KvCache& cache, std::size_t head_dim) {
  const std::size_t queries = limits.size();
  std::size_t last = 0;
  for (const std::uint32_t limit : limits) last = std::max<std::size_t>(last, limit);
  const std::size_t splits = (last + kernels::kSplit - 1) / kernels::kSplit;

  std::vector<float> m(splits * queries), l(splits * queries), o(splits * queries * head_dim);
  for (std::size_t split = 0; split < splits; ++split) {
    kernels.of(cache.format())
        .partial(q.data(), static_cast<std::ptrdiff_t>(head_dim), limits.data(), queries, 1, cache.pages(), 0,
                 split * kernels::kSplit, head_dim, &m[split * queries], &l[split * queries],
                 &o[split * queries * head_dim]);
  }
  std::vector<float> out(queries * head_dim);
  for (std::size_t i = 0; i < queries; ++i) {
    kernels.merge(&m[i], &l[i], static_cast<std::ptrdiff_t>(queries), &o[i * head_dim],
                  static_cast<std::ptrdiff_t>(queries * head_dim), splits, head_dim, &out[i * head_dim]);
  }
  return out;
}

}  // namespace lfm::test
