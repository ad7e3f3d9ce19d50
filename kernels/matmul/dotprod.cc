// Matmul with sdot (Cortex-A55, A76, Apple M1 and later).
//
//                    row 0    row 1    row 2    row 3
//   codes, columns   4l..+3   4l..+3   4l..+3   4l..+3     a quarter of a line
//   activations      q[4l..+3] of one token, to all rows   a lane of its 16 columns
//   dot              += 4 products of each row
#include <arm_neon.h>

#include <utility>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::dotprod {
namespace {

constexpr bool kUnsignedProducts = false;
#include "kernels/matmul/neon_operands.inc"

constexpr std::size_t kMostStrips = 4;
constexpr int kMostDots = 6;

template <bool, BlockFormat kFormat, int kRows, int MR>
[[gnu::always_inline]] inline void add_columns(const WeightBlock<kFormat>& weights, const ActBlock<MR>& act,
                                               int32x4_t (&low)[kRows][MR], int32x4_t (&high)[kRows][MR]) {
  const auto add = [&]<int kL>() __attribute__((always_inline)) {
    auto& dot = kL < 4 ? low : high;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const int8x16_t codes = vreinterpretq_s8_u8(weights.template columns<kL>(r));
#pragma GCC unroll 6
      for (int t = 0; t < MR; ++t) dot[r][t] = vdotq_laneq_s32(dot[r][t], codes, act.q(t, kL / 4), kL % 4);
    }
  };
  in_order_of<kFormat>(add);
}

#include "kernels/matmul/neon_floats.inc"
#include "kernels/matmul/neon_walk.inc"

template <BlockFormat kFormat>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
            float* out, std::ptrdiff_t out_stride) {
  tiles_by<kFormat, 6>(weights, tiles, k, act.data(), act.size(), out, out_stride);
}

std::uint64_t peak(std::size_t steps) {
  constexpr int kChains = 16;
  int32x4_t sums[kChains];
  const int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
  for (int i = 0; i < kChains; ++i) sums[i] = vdupq_n_s32(i);  // so that no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = vdotq_s32(sums[i], a, b);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = vaddq_s32(sums[0], sums[i]);
  return static_cast<std::uint64_t>(vaddvq_s32(sums[0]));
}

}  // namespace

constexpr std::size_t kMostTokens = 6;
constexpr std::size_t kPeakOperations = 16 * 16 * 2;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::dotprod
