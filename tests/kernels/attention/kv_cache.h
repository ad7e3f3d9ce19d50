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
      : head_dim_(head_dim), k_(bytes(positions), edge), v_(bytes(positions), edge) {}

  std::uint16_t* k() { return k_.as<std::uint16_t>().data(); }
  std::uint16_t* v() { return v_.as<std::uint16_t>().data(); }

  std::uint16_t& k(std::size_t position, std::size_t d) {
    constexpr std::size_t kBlock = kernels::kKvBlock;
    return k()[position / kBlock * kBlock * head_dim_ + d * kBlock + position % kBlock];
  }
  std::uint16_t& v(std::size_t position, std::size_t d) { return v()[position * head_dim_ + d]; }

  void append(const kernels::AttentionKernels& kernels, std::span<const float> key, std::span<const float> value,
              std::size_t position) {
    kernels.append(key.data(), value.data(), position, head_dim_, k(), v());
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
  std::size_t bytes(std::size_t positions) const {
    const std::size_t blocks = (positions + kernels::kKvBlock - 1) / kernels::kKvBlock;
    return blocks * kernels::kKvBlock * head_dim_ * sizeof(std::uint16_t);
  }

  std::size_t head_dim_;
  GuardedBuffer k_, v_;
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
    kernels.partial(q.data(), static_cast<std::ptrdiff_t>(head_dim), limits.data(), queries, cache.k(), cache.v(),
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
