// Matmul with smlal, for CPUs without a dot product of bytes (Cortex-A53, A57, A72, A73).
//
//                    row 0    row 1    row 2    row 3
//   codes, columns   4l..+3   4l..+3   4l..+3   4l..+3     a quarter of a line
//   activations      q[4l..+3] of one token, to all rows
//   front, int16     += a product of each column of rows 0 and 1
//   back, int16      += a product of each column of rows 2 and 3
//   dot, int32       += the four of a row, before int16 can overflow
#include <arm_neon.h>

#include <utility>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::neon {
namespace {

constexpr bool kUnsignedProducts = false;
#include "kernels/matmul/neon_operands.inc"

constexpr std::size_t kMostStrips = 2;
constexpr int kMostDots = 2;

// Vectors of codes whose products int16 holds.
template <CodeKind kKind>
constexpr int kRun = 8;  // 8 * 31 * 127 = 31496
template <>
constexpr int kRun<CodeKind::k2Bit> = 4;  // with scales: 4 * 3 * 15 * 127 = 22860
template <>
constexpr int kRun<CodeKind::k6Bit> = 4;  // 4 * 63 * 127 = 32004
template <>
constexpr int kRun<CodeKind::k8Bit> = 2;  // 2 * 128 * 127 = 32512
template <>
constexpr int kRun<CodeKind::k4BitTable> = 2;

template <bool kApart, BlockFormat kFormat, int kRows, int MR>
[[gnu::always_inline]] inline void add_columns(const WeightBlock<kFormat>& weights, const ActBlock<MR>& act,
                                               int32x4_t (&low)[kRows][MR], int32x4_t (&high)[kRows][MR]) {
  constexpr CodeKind kCodes = info(kFormat).codes;
  constexpr int kFit = kApart && kRun < kCodes >> 4 ? 4 : kRun<kCodes>;
  constexpr bool kInOrder = kApart || kFit == 4;
  int16x8_t front[kRows][MR], back[kRows][MR];  // of rows 0 and 1, and of rows 2 and 3
  const auto add = [&]<int kL>() __attribute__((always_inline)) {
    constexpr int kPlace = (kInOrder ? kL : kL % 4 * 2 + kL / 4) % kFit;  // in the run
    auto& dot = kL < 4 ? low : high;
#pragma GCC unroll 4
    for (int t = 0; t < MR; ++t) {
      int32x4_t lanes = vreinterpretq_s32_s8(act.q(t, kL / 4));
      asm("" : "+w"(lanes));  // or else GCC loads each lane for itself, and lacks registers for their addresses
      const int8x16_t q = vreinterpretq_s8_s32(vdupq_laneq_s32(lanes, kL % 4));
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const int8x16_t codes = vreinterpretq_s8_u8(weights.template columns<kL>(r));
        if constexpr (kPlace == 0) {
          front[r][t] = vmull_s8(vget_low_s8(codes), vget_low_s8(q));
          back[r][t] = vmull_high_s8(codes, q);
        } else {
          front[r][t] = vmlal_s8(front[r][t], vget_low_s8(codes), vget_low_s8(q));
          back[r][t] = vmlal_high_s8(back[r][t], codes, q);
        }
        if constexpr (kPlace == kFit - 1) {
          dot[r][t] = vaddq_s32(dot[r][t], vpaddq_s32(vpaddlq_s16(front[r][t]), vpaddlq_s16(back[r][t])));
        }
      }
    }
  };
  if constexpr (kInOrder) {
    in_order(add);
  } else {
    in_line_order(add);
  }
}

#include "kernels/matmul/neon_floats.inc"
#include "kernels/matmul/neon_walk.inc"

template <BlockFormat kFormat>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
            float* out, std::ptrdiff_t out_stride) {
  constexpr ScaleKind kScales = info(kFormat).scales;  // as many tokens as there are registers for
  constexpr int kMost = kScales == ScaleKind::kHalves || kScales == ScaleKind::kSuperHalves ? 3 : 4;
  for (std::size_t t = 0; t < act.size(); t += kMost) {
    tiles_by<kFormat, kMost>(weights, tiles, k, &act[t], act.size() - t, out, out_stride);
    out += kMost * out_stride;
  }
}

std::uint64_t peak(std::size_t steps) {
  constexpr int kChains = 16;
  int16x8_t sums[kChains];
  const int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
  for (int i = 0; i < kChains; ++i) sums[i] = vdupq_n_s16(static_cast<std::int16_t>(i));  // no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = vmlal_high_s8(sums[i], a, b);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = vaddq_s16(sums[0], sums[i]);
  return static_cast<std::uint64_t>(vaddlvq_s16(sums[0]));
}

}  // namespace

constexpr std::size_t kMostTokens = 4;
constexpr std::size_t kPeakOperations = 16 * 8 * 2;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::neon
