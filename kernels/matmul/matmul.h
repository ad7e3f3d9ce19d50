// Matrix products with packed weights (layout.h). All pointers are the caller's; nothing allocates or keeps state.
//
// The order of the arithmetic is part of the contract: an output element depends on K, the weights and the token alone,
// never on other tokens, on the number of tiles in a call, on threads, or on the ISA. Every ISA gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/matmul/layout.h"

namespace lfm::kernels {

// out[t * out_stride + r] = sum over blocks b in ascending order:
//     f = fma(float(integer dot of block b), scale_w[b][r] * scale_a[b][t], f)          formats with a zero point
//     then f = fma(min_w[b][r], scaled_sum[b][t], f)                                    formats with minima
// where scale_w of Q4_K/Q5_K is float(d) * float(sc) and min_w is -(float(dmin) * float(m)), rounded once each; the
// integer dot includes the zero point (exact). In Q6_K the integer is sc[0] * dot(columns 0..15) + sc[1] * dot(columns
// 16..31), which float holds exactly, and scale_w is float(d). So it is in Q2_K, whose minima are two as well:
//     f = fma(min_w[1], scaled_sum, f), then f = fma((dmin / 8) * float(m[0] - m[1]), scale_a * float(neg8_low), f)
//   weights   tiles x tile_bytes(format, k), 64-byte aligned
//   act       a row (layout.h) of each token, 4-byte aligned; 1 .. MatmulKernels::most_tokens of them
//   out       a row of tiles * 16 floats for each, out_stride floats from one to the next
// k % 32 == 0 (256 for K formats).
using MatmulFn = void (*)(const std::byte* weights, std::size_t tiles, std::size_t k,
                          std::span<const std::byte* const> act, float* out, std::ptrdiff_t out_stride);

// The same with float weights and float activations: four partial sums over columns k % 4 == 0, 1, 2, 3, each a chain
// of fma in ascending order, then (s0 + s1) + (s2 + s3). k % 4 == 0; any number of tokens.
//   act       rows of k floats, as above
using MatmulFloatFn = void (*)(const std::byte* weights, std::size_t tiles, std::size_t k,
                               std::span<const float* const> act, float* out, std::ptrdiff_t out_stride);

// One token through strips of weights: tiles that lie in the order in which they are read. A core has more reads under
// way in several streams than in one, which is what a single token waits for, so strips are read side by side.
// Every element is what MatmulFn gives it.
struct Strip {
  const std::byte* weights;  // as MatmulFn's
  const std::byte* act;      // a row
  float* out;                // tiles * 16 floats
};
using StripsFn = void (*)(std::span<const Strip> strips, std::size_t tiles, std::size_t k);

inline constexpr std::size_t kMaxTokens = 96;  // the largest most_tokens

struct BlockKernels {
  MatmulFn tiles;
  StripsFn strips;
};

struct MatmulKernels {
  // That MatmulFn takes at once: as many sums as there are registers for, or as many as unpack weights together.
  std::size_t most_tokens;
  const BlockKernels* blocks[kBlockFormatCount];  // indexed by BlockFormat
  MatmulFloatFn floats[kFloatFormatCount];        // indexed by FloatFormat

  // What a core can do at most, by which the others are judged: `steps` rounds of the int8 multiply-adds that they are
  // made of, between registers, in enough chains to hide their latency. Returns a sum, so that none can be skipped.
  std::uint64_t (*peak)(std::size_t steps);
  std::size_t peak_operations;  // of a step; a multiplication and an addition are two
};

#define LFM_ISA(id, name, matmul, ...) \
  namespace matmul {                   \
  extern const MatmulKernels kMatmul;  \
  }
#include "kernels/isas.inc"

}  // namespace lfm::kernels
