// Attention of a group of queries over the cached keys and values of one KV head, online softmax.
// The order of the arithmetic is part of the contract: a query's result depends on its position and the cache alone,
// never on which other queries share the call, nor on threads or ISA. Every ISA gives the same bits.
//
// The cache of one KV head is blocks of kKvBlock positions (kv_format.h), which may lie anywhere.
//
// A query's positions 0 .. limit-1 are cut at multiples of kSplit. Each split gives a partial {m, l, o}, starting from
// m = -inf, l = 0, o = 0:
//   for each step of kStep positions inside the split, in ascending order, cut off at limit:
//     s[j] = score of position j, below
//     m' = max(m, all s[j]) + 0  (so that a zero is +0; NaN is passed over: it comes back in p);  a = exp(m - m')
//     p[j] = exp(s[j] - m')
//     l[lane] = l[lane] * a, then + p[j] for j ascending, in 16 lanes, lane = j % 16
//     o[d] = o[d] * a, then values added with weights p[j], below
//   l is folded as in kernels/vector/vector.h.
// Partials are merged in ascending order, starting from the same:
//     m' = max(m, ms);  a = exp(m - m'), b = exp(ms - m');  o = fma(os, b, o * a);  l = fma(ls, b, l * a)
// The result is o / l. a and b are 0 where m or ms is -inf. exp, and what is said of NaN: kernels/vector/vector.h.
//
// f16
//     s[j] = chain of fma over d = 0 .. head_dim-1 of q[d] * K[d][j], starting at 0
//     o[d] = fma(p[j], V[j][d], o[d]) for j ascending
// q8_0, in blocks b of 32 channels: queries and weights are integers of 16 bits, far finer than the codes, so that sums
// over a block or a step are exact.
//     scale_q = amax / 32767, c[d] = round_to_even(q[d] * (32767 / amax)), amax = max |q[d]|;  amax < 2^-100 gives
//         zeros; NaN or infinity make scale_q NaN, c 0
//     s[j] = (chain of fma over b of float(sum over d in b of c[d] * K[d][j]) * scale_K[b][j], starting at 0) * scale_q
//     top = exp(max(all s[j]) - m') * max(all scale_V[b][j]), of whose maximum NaN is the largest
//     w[j] = round_to_even(p[j] * scale_V[b][j] * inverse), where that is above 0, otherwise 0;  inverse = 32767 / top,
//         but 0 where top isn't at least 2^-100
//     o[d] = fma(float(sum over j of w[j] * V[j][d]), top * (1 / 32767), o[d])
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/kv_format.h"

namespace lfm::kernels {

inline constexpr std::size_t kStep = kKvBlock;  // positions between two rescalings
inline constexpr std::size_t kSplit = 512;      // positions of a partial
inline constexpr std::size_t kMaxQueries = 16;  // queries of one call
inline constexpr std::size_t kMaxHeadDim = 256;

// Of one KvFormat.
struct KvKernels {
  // Converts and stores one position.
  //   f16   round to nearest even; beyond its range becomes infinity
  //   q8_0  per 32 channels scale = amax / 127 as f16, q = round_to_even(x * (127 / amax));  amax < 2^-100 gives
  //         zeros; NaN, infinity or a scale beyond f16 the scale NaN and codes 0, so that it reaches the result
  //   key, value (head_dim) f32;  slot: of the position in its block, 0 .. kKvBlock - 1
  void (*append)(const float* key, const float* value, std::size_t slot, std::size_t head_dim, std::byte* block);

  // Partials of `queries` queries of each of `kv_heads` KV heads, 1..kMaxQueries in all, over positions
  // [begin, min(begin + kSplit, limit)), begin % kSplit == 0. Of several heads that is read which lies side by side.
  //   q      kv_heads * queries rows of head_dim floats, already scaled by 1 / sqrt(head_dim), q_stride floats apart
  //   limits (kv_heads * queries): positions that each query sees, > begin for at least one; a query with
  //          limit <= begin gets m = -inf, l = 0, o = 0
  //   pages  block i of KV head h is at pages[i] + offset + h * the bytes of a block, for all that the queries see
  //   m, l   (kv_heads * queries);  o (kv_heads * queries, head_dim)
  // Reads whole blocks of the keys, but lets nothing beyond a query's limit into its result.
  // head_dim <= 256, a multiple of 16, and of 32 where anything is q8_0.
  void (*partial)(const float* q, std::ptrdiff_t q_stride, const std::uint32_t* limits, std::size_t queries,
                  std::size_t kv_heads, const std::byte* const* pages, std::size_t offset, std::size_t begin,
                  std::size_t head_dim, float* m, float* l, float* o);
};

struct AttentionKernels {
  KvKernels kv[kKvTypeCount][kKvTypeCount];  // by the types of keys and values
  const KvKernels& of(KvFormat format) const noexcept {
    return kv[static_cast<std::size_t>(format.keys)][static_cast<std::size_t>(format.values)];
  }

  // out (head_dim) of one query from its partials in ascending order.
  //   m, l (splits) with stride ml_stride;  o splits rows of head_dim, o_stride floats apart
  void (*merge)(const float* m, const float* l, std::ptrdiff_t ml_stride, const float* o, std::ptrdiff_t o_stride,
                std::size_t splits, std::size_t head_dim, float* out);
};

#define LFM_ISA(id, name, matmul, vector, attention, ...) \
  namespace attention {                                   \
  extern const AttentionKernels kAttention;               \
  }
#include "kernels/isas.inc"

}  // namespace lfm::kernels
