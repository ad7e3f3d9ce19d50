// The cache of one KV head for the tests of attention.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention/attention.h"
#include "tests/support/same_bits.h"

namespace lfm::test {

// Between forbidden pages, with room for `positions` and not a block more. What was not appended is NaN.
class KvCache {
 public:
  KvCache(std::size_t positions, std::size_t head_dim, Edge edge)
      : head_dim_(head_dim),
        blocks_((positions + kernels::kKvBlock - 1) / kernels::kKvBlock * block_bytes(), edge) {
    for (std::size_t at = 0; at < blocks_.size(); at += block_bytes()) {
      pages_.push_back(blocks_.as<std::byte>().data() + at);
    }
  }

  const std::byte* const* pages() const { return pages_.data(); }

  std::uint16_t& k(std::size_t position, std::size_t d) {
    return halves(position)[d * kernels::kKvBlock + position % kernels::kKvBlock];
  }
  std::uint16_t& v(std::size_t position, std::size_t d) {
    return halves(position)[(kernels::kKvBlock + position % kernels::kKvBlock) * head_dim_ + d];
  }

  void append(const kernels::AttentionKernels& kernels, std::span<const float> key, std::span<const float> value,
              std::size_t position) {
    kernels.kv[0].append(key.data(), value.data(), position % kernels::kKvBlock, head_dim_,
                         pages_[position / kernels::kKvBlock]);
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
  std::size_t block_bytes() const { return kernels::kv_block_bytes(kernels::KvFormat::kF16, head_dim_); }
  std::uint16_t* halves(std::size_t position) {
    return reinterpret_cast<std::uint16_t*>(pages_[position / kernels::kKvBlock]);
  }

  std::size_t head_dim_;
  GuardedBuffer blocks_;
  std::vector<std::byte*> pages_;
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
    kernels.kv[0].partial(q.data(), static_cast<std::ptrdiff_t>(head_dim), limits.data(), queries, cache.pages(), 0,
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
