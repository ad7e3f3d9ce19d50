// Grouped-query attention with normed queries and keys and rotary positions, a mixer.
//
//     q, k, v = projections of u, in heads;  q, k = rope(rms_norm(q), pos), rope(rms_norm(k), pos)
//     y = softmax(q k^T / sqrt(head_dim)) v over positions 0..pos, heads / kv_heads query heads to a KV head;  o y
//
// Source: Hugging Face transformers, models/lfm2/modeling_lfm2.py, Lfm2Attention; rotary pairs (i, i + head_dim / 2).
#pragma once

#include <cstdint>
#include <span>

#include "ops/context.h"

namespace lfm::ops {

// The cache of one layer: the block of KV head h for positions kKvBlock * i and on is at pages[i] + offset + h *
// block_bytes.
struct KvLayer {
  kernels::KvFormat format;
  std::byte* const* pages = nullptr;
  std::size_t offset = 0;
  std::size_t block_bytes = 0;
};

// A sequence's rows of a pass, and its cache in one layer.
struct KvRun {
  Rows rows;
  std::size_t position;  // of the first row's token
  KvLayer cache;
  bool both_ways = false;  // every row sees all of the run, not only those before it
  std::size_t begin = 0;   // positions before it are seen by none; a multiple of kSplit, at most `position`
};

struct Attention {
  Matrix q;                       // (heads * head_dim, hidden)
  Matrix k;                       // (kv_heads * head_dim, hidden)
  Matrix v;                       // (kv_heads * head_dim, hidden)
  Matrix o;                       // (hidden, heads * head_dim)
  const float* q_norm = nullptr;  // (head_dim)
  const float* k_norm = nullptr;  // (head_dim)
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;

  // mixed (tokens, heads * head_dim) = y of rms_norm(x) * gamma, for tokens that are added to the caches. Expects the
  // workspace's cos and sin of their positions. add_out() ends the mixer.
  void mix(const Context& c, const float* gamma, float eps, std::span<const KvRun> runs) const;

  // The end of what mix() does with a key and a value, which lie in some row of products: norms and rotates the key in
  // place, and adds both to the cache at row `row` of the run.
  void append(const Context& c, const KvRun& run, std::size_t row, std::size_t kv_head, float eps, float* key,
              const float* value) const;

  // x += o mixed
  void add_out(const Context& c) const;
  std::size_t width() const noexcept { return o.columns; }  // columns of mixed

 private:
  void append(const Context& c, const KvRun& run, std::size_t row, std::size_t kv_head, float eps) const;
  void attend_one(const Context& c, float eps, const KvRun& run) const;
  void attend_split(const Context& c, const KvRun& run, std::size_t split, base::Range kv_heads_now) const;
  void attend_many(const Context& c, float eps, std::span<const KvRun> runs) const;
  void attend_block(const Context& c, const KvRun& run, base::Range rows, std::size_t kv_head) const;

  std::size_t group() const noexcept { return heads / kv_heads; }
  std::size_t stride() const noexcept { return (heads + 2 * kv_heads) * head_dim; }  // floats of q, k, v of a row
};

// cos and sin of the rotary angles of some rows, whose tokens are those from `position` on, into the workspace. Each
// angle is (position) * base^(-2 i / head_dim) in double precision.
void rotary_angles(const Context& c, double rope_base, std::size_t head_dim, Rows rows, std::size_t position);

}  // namespace lfm::ops
