// Matmul with usmmla, which multiplies 2 rows of 8 unsigned by 2 rows of 8 signed bytes (Cortex-A510, A710, X2,
// Neoverse V1, N2, Apple M2 and later). Up to three tokens go by usdot, as in dotprod.cc.
#include <arm_neon.h>

#include <utility>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::i8mm {
namespace {

constexpr bool kUnsignedProducts = true;
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
      const uint8x16_t codes = weights.template columns<kL>(r);
#pragma GCC unroll 3
      for (int t = 0; t < MR; ++t) dot[r][t] = vusdotq_laneq_s32(dot[r][t], codes, act.q(t, kL / 4), kL % 4);
    }
  };
  in_order_of<kFormat>(add);
}

#include "kernels/matmul/neon_floats.inc"
#include "kernels/matmul/neon_walk.inc"

#include "kernels/matmul/i8mm_pairs.inc"

template <BlockFormat kFormat>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
            float* out, std::ptrdiff_t out_stride) {
  const std::size_t tokens = act.size();
  if (tokens > 4) return pairs_through_tiles<kFormat, 3>(weights, tiles, k, act.data(), tokens, out, out_stride);
  if (tokens == 4) return pairs_through_tiles<kFormat, 2>(weights, tiles, k, act.data(), tokens, out, out_stride);
  tiles_by<kFormat, 3>(weights, tiles, k, act.data(), tokens, out, out_stride);
}

std::uint64_t peak(std::size_t steps) {
  constexpr int kChains = 16;
  int32x4_t sums[kChains];
  const uint8x16_t a = vdupq_n_u8(1);
  const int8x16_t b = vdupq_n_s8(2);
  for (int i = 0; i < kChains; ++i) sums[i] = vdupq_n_s32(i);  // so that no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = vusmmlaq_s32(sums[i], a, b);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = vaddq_s32(sums[0], sums[i]);
  return static_cast<std::uint64_t>(vaddvq_s32(sums[0]));
}

}  // namespace

constexpr std::size_t kMostTokens = 6;
constexpr std::size_t kPeakOperations = 16 * 32 * 2;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::i8mm
