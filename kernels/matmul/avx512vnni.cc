// Matmul with vpdpbusd. A vector is a line of layout.h: 16 rows by 4 columns of codes, or a number for each of 16 rows.
//
//                    row 0     row 1           row 15
//   codes, columns   4l .. +3  4l .. +3  ...   4l .. +3     unsigned operand
//   activations      q[4l..+3] of one token, to all rows    signed operand, broadcast from memory
//   dot              += 4 products of each row
//
// A step takes a block of a few tiles through a few tokens: their integer dots (which begin with the zero point's
// share) and, along all of K, their float sums are in registers. 2 tiles by 6 tokens are 12 + 12 registers.
#include <immintrin.h>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avx512vnni {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kAhead = 6144;  // bytes of weights, of all streams together, between a fetch and their use
constexpr int kChains = 12;           // of peak()

__m512i load_line(const std::byte* p) {
  return _mm512_load_si512(p);
}
__m512i load_u8(const std::byte* p) {
  return _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
__m512i load_i8(const std::byte* p) {
  return _mm512_cvtepi8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
__m512 load_half(const std::byte* p) {
  return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)));
}
__m512i broadcast_int(const std::byte* p) {
  std::int32_t value;
  __builtin_memcpy(&value, p, sizeof(value));
  return _mm512_set1_epi32(value);
}
__m512 broadcast_float(const std::byte* p) {
  return _mm512_castsi512_ps(broadcast_int(p));
}

// ---- Codes: columns<L>(planes) are the codes of columns 4L .. 4L+3 of a block, L = 0 .. 7. ----

template <CodeKind kKind>
struct CodesOf;

template <>
struct CodesOf<CodeKind::k4Bit> {
  static constexpr std::size_t kBytes = 4 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {
    const __m512i line = load_line(planes + kLine * (L % 4));
    return _mm512_and_si512(L < 4 ? line : _mm512_srli_epi16(line, 4), _mm512_set1_epi8(15));
  }
};

// Shifts left, or right where kBits is negative; bits stray between bytes and are masked off by the caller.
template <int kBits>
__m512i shift(__m512i v) {
  if constexpr (kBits > 0) return _mm512_slli_epi16(v, kBits);
  if constexpr (kBits < 0) return _mm512_srli_epi16(v, -kBits);
  return v;
}

// The zero point times the sum of the activations, from -8 times that sum.
template <int kZero>
__m512i zero_share(__m512i neg8_sum) {
  if constexpr (kZero == 0) return _mm512_setzero_si512();
  return kZero == 8 ? neg8_sum : _mm512_slli_epi32(neg8_sum, kZero == 16 ? 1 : kZero == 32 ? 2 : 4);
}

// (nibbles & 15) | (high & mask)
template <int kMask>
__m512i with_high_bits(__m512i nibbles, __m512i high) {
  constexpr int kAOrBAndC = 0xf8;
  const __m512i low = _mm512_and_si512(nibbles, _mm512_set1_epi8(15));
  return _mm512_ternarylogic_epi32(low, high, _mm512_set1_epi8(kMask), kAOrBAndC);
}

template <>
struct CodesOf<CodeKind::k5Bit> {
  static constexpr std::size_t kBytes = 5 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {  // bit L of the fifth bits goes to bit 4
    const __m512i line = load_line(planes + kLine * (L % 4));
    return with_high_bits<0x10>(shift < L < 4 ? 0 : -4 > (line), shift<4 - L>(load_line(planes + 4 * kLine)));
  }
};

template <>
struct CodesOf<CodeKind::k6Bit> {
  static constexpr std::size_t kBytes = 6 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {  // bits 2(L % 4), +1 of the top bits go to bits 4, 5
    const __m512i line = load_line(planes + kLine * (L % 4));
    return with_high_bits<0x30>(shift < L < 4 ? 0 : -4 > (line),
                                shift<4 - 2 * (L % 4)>(load_line(planes + kLine * (4 + L / 4))));
  }
};

template <>
struct CodesOf<CodeKind::k8Bit> {
  static constexpr std::size_t kBytes = 8 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {
    return load_line(planes + kLine * L);
  }
};

template <>
struct CodesOf<CodeKind::k4BitTable> {
  static constexpr std::size_t kBytes = 4 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kNonlinearCodes));
    const __m512i values = _mm512_broadcast_i32x4(_mm_xor_si128(table, _mm_set1_epi8(-128)));
    return _mm512_shuffle_epi8(values, CodesOf<CodeKind::k4Bit>::columns<L>(planes));
  }
};

// ---- Scales: the header of a group, and what its block b is scaled with. ----

template <ScaleKind kKind>
struct ScalesOf;

template <>
struct ScalesOf<ScaleKind::kPair> {
  static constexpr std::size_t kBytes = kLine, kBlocks = 2;
  const std::byte* header;
  __m512 scale(std::size_t b) const { return load_half(header + 32 * b); }
};

template <>
struct ScalesOf<ScaleKind::kMinima> {
  static constexpr std::size_t kBytes = kLine, kBlocks = 1;
  const std::byte* header;
  __m512 scale(std::size_t) const { return load_half(header); }
  __m512 min(std::size_t) const { return load_half(header + 32); }
};

template <>
struct ScalesOf<ScaleKind::kSuper> {
  static constexpr std::size_t kBytes = 5 * kLine, kBlocks = 8;
  const std::byte* header;
  __m512 scale(std::size_t b) const { return product(header, header + kLine + 32 * b); }
  __m512 min(std::size_t b) const {
    return _mm512_xor_ps(product(header + 32, header + kLine + 32 * b + 16), _mm512_set1_ps(-0.0f));
  }
  static __m512 product(const std::byte* d, const std::byte* small) {
    return _mm512_mul_ps(load_half(d), _mm512_cvtepi32_ps(load_u8(small)));
  }
};

template <>
struct ScalesOf<ScaleKind::kHalves> {
  static constexpr std::size_t kBytes = 5 * kLine, kBlocks = 8;
  const std::byte* header;
  __m512 scale(std::size_t) const { return load_half(header); }
  __m512 half(std::size_t b, std::size_t i) const {
    return _mm512_cvtepi32_ps(load_i8(header + kLine + 32 * b + 16 * i));
  }
};

// ---- A block of kTiles tiles: number i of its dots and sums is of tile i % kTiles and token i / kTiles. A single
// token may have a row of activations for each tile. ----

#include "kernels/matmul/act_block.inc"

// Block b of a group of each tile.
template <class Codes, class Scales, int kTiles>
struct WeightBlock {
  const std::byte* const (&groups)[kTiles];
  std::size_t b;
  Scales scales(int r) const { return {groups[r]}; }
  const std::byte* planes(int r) const { return groups[r] + Scales::kBytes + b * Codes::kBytes; }
  // Fetches the block's share of what comes later. Always inlined: GCC drops calls of functions that do nothing else.
  [[gnu::always_inline]] void fetch(int r) const {
    constexpr std::size_t kShare = Scales::kBytes / Scales::kBlocks + Codes::kBytes;
    const std::byte* share = groups[r] + kAhead / kTiles + b * kShare;
#pragma GCC unroll 9
    for (std::size_t i = 0; i < kShare; i += kLine) _mm_prefetch(share + i, _MM_HINT_T0);
  }
};

// The row of activations that sum i of kSums takes, of kRows.
template <int kTiles, int kRows, int kSums>
constexpr int row_of(int i) {
  return kSums == kTiles ? i % kRows : i / kTiles;
}

// Adds the products of columns 4L .. 4L+3, for each L in turn.
template <int... L, class Codes, class Scales, int kTiles, int kRows, int kDots>
[[gnu::always_inline]] inline void add_columns(const WeightBlock<Codes, Scales, kTiles>& weights,
                                               const ActBlock<kRows>& act, __m512i (&dot)[kDots]) {
  const auto add = [&]<int kL>() __attribute__((always_inline)) {
    __m512i codes[kTiles];
#pragma GCC unroll 4
    for (int r = 0; r < kTiles; ++r) codes[r] = Codes::template columns<kL>(weights.planes(r));
#pragma GCC unroll 12
    for (int i = 0; i < kDots; ++i) {
      dot[i] = _mm512_dpbusd_epi32(dot[i], codes[i % kTiles], act.q(row_of<kTiles, kRows, kDots>(i), kL));
    }
  };
  (add.template operator()<L>(), ...);
}

template <int kZero, class Codes, class Scales, int kTiles, int kRows, int kSums>
[[gnu::always_inline]] inline void step(const WeightBlock<Codes, Scales, kTiles>& weights, const ActBlock<kRows>& act,
                                        __m512 (&sum)[kSums]) {
  constexpr auto row = row_of<kTiles, kRows, kSums>;
  __m512i dot[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) dot[i] = zero_share<kZero>(act.neg8_sum(row(i)));
  add_columns<0, 4, 1, 5, 2, 6, 3, 7>(weights, act, dot);
  __m512 scale[kTiles];
#pragma GCC unroll 4
  for (int r = 0; r < kTiles; ++r) scale[r] = weights.scales(r).scale(weights.b);
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) {
    const __m512 both = _mm512_mul_ps(scale[i % kTiles], act.scale(row(i)));
    sum[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[i]), both, sum[i]);
  }
  if constexpr (requires(Scales scales) { scales.min(0); }) {
    __m512 min[kTiles];
#pragma GCC unroll 4
    for (int r = 0; r < kTiles; ++r) min[r] = weights.scales(r).min(weights.b);
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sum[i] = _mm512_fmadd_ps(min[i % kTiles], act.scaled_sum(row(i)), sum[i]);
  }
}

// Q6_K: both halves of a block have a scale. Scaled and added, the halves stay below 2^24, exact in float.
template <int kZero, class Codes, int kTiles, int kRows, int kSums>
[[gnu::always_inline]] inline void step(const WeightBlock<Codes, ScalesOf<ScaleKind::kHalves>, kTiles>& weights,
                                        const ActBlock<kRows>& act, __m512 (&sum)[kSums]) {
  constexpr auto row = row_of<kTiles, kRows, kSums>;
  __m512i dot[kSums];
  __m512 scale[kTiles];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) dot[i] = zero_share<kZero>(act.neg8_low(row(i)));
  add_columns<0, 1, 2, 3>(weights, act, dot);
#pragma GCC unroll 4
  for (int r = 0; r < kTiles; ++r) scale[r] = weights.scales(r).half(weights.b, 0);
  alignas(64) float low[kSums][kTileRows];  // leaves the registers to the other half
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) _mm512_store_ps(low[i], _mm512_mul_ps(_mm512_cvtepi32_ps(dot[i]), scale[i % kTiles]));
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) {
    dot[i] = zero_share<kZero>(_mm512_sub_epi32(act.neg8_sum(row(i)), act.neg8_low(row(i))));
  }
  add_columns<4, 5, 6, 7>(weights, act, dot);
#pragma GCC unroll 4
  for (int r = 0; r < kTiles; ++r) scale[r] = weights.scales(r).half(weights.b, 1);
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) {
    const __m512 both = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[i]), scale[i % kTiles], _mm512_load_ps(low[i]));
    const __m512 scales = _mm512_mul_ps(weights.scales(i % kTiles).scale(weights.b), act.scale(row(i)));
    sum[i] = _mm512_fmadd_ps(both, scales, sum[i]);
  }
}

// ---- All of K. ----

template <class Codes, class Scales>
constexpr std::size_t bytes_of_tile(std::size_t k) {
  const std::size_t groups = (k / kBlockColumns + Scales::kBlocks - 1) / Scales::kBlocks;
  return groups * (Scales::kBytes + Scales::kBlocks * Codes::kBytes);
}

// kTiles tiles and MR tokens, or one token with a row for each tile. With each block a line of `soon` is fetched.
template <class Codes, class Scales, int kZero, int MR, int kTiles, int kRows>
[[gnu::always_inline]] inline void take(const std::byte* (&tiles)[kTiles], std::size_t k,
                                        const std::byte* const (&rows)[kRows], float* const (&out)[kTiles],
                                        std::ptrdiff_t out_stride, const std::byte* soon) {
  constexpr int kSums = kTiles * MR;
  __m512 sum[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sum[i] = _mm512_setzero_ps();
  std::size_t at = 0;
  for (std::size_t left = k / kBlockColumns; left > 0;) {
    const std::size_t blocks = left < Scales::kBlocks ? left : Scales::kBlocks;
    for (std::size_t b = 0; b < blocks; ++b) {
      const WeightBlock<Codes, Scales, kTiles> block{tiles, b};
#pragma GCC unroll 4
      for (int r = 0; r < kTiles; ++r) block.fetch(r);
      if constexpr (MR > 1) _mm_prefetch(soon + at, _MM_HINT_T0);
      step<kZero>(block, ActBlock<kRows>{rows, at}, sum);
      at += kActBlockBytes;
    }
#pragma GCC unroll 4
    for (int r = 0; r < kTiles; ++r) tiles[r] += Scales::kBytes + Scales::kBlocks * Codes::kBytes;
    left -= blocks;
  }
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) _mm512_storeu_ps(out[i % kTiles] + i / kTiles * out_stride, sum[i]);
}

// Two parts of the tiles go side by side, so that an activation is loaded once for both. Meanwhile every few tiles
// fetch a row of the next call's activations.
template <class Codes, class Scales, int kZero, int MR>
void all_tiles(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
               float* out, std::ptrdiff_t out_stride) {
  const std::size_t bytes = bytes_of_tile<Codes, Scales>(k);
  const std::byte* rows[MR];
#pragma GCC unroll 6
  for (std::size_t t = 0; t < MR; ++t) rows[t] = act[t];
  const std::size_t part = tiles / 2;
  for (std::size_t i = 0; i < part; ++i) {
    const std::size_t next = MR + i;
    const std::byte* both[] = {weights + i * bytes, weights + (part + i) * bytes};
    take<Codes, Scales, kZero, MR>(both, k, rows, {out + i * kTileRows, out + (part + i) * kTileRows}, out_stride,
                                   act[next < act.size() ? next : 0]);
  }
  if (tiles % 2 != 0) {
    const std::byte* last[] = {weights + 2 * part * bytes};
    take<Codes, Scales, kZero, MR>(last, k, rows, {out + 2 * part * kTileRows}, out_stride, act[0]);
  }
}

#include "kernels/matmul/strips.inc"

// Four at a time. A row of activations that they share is loaded once: the fewer instructions a line of weights takes,
// the more lines a core looks ahead.
template <BlockFormat kFormat>
void strips(std::span<const Strip> strips, std::size_t tiles, std::size_t k) {
  constexpr BlockInfo kInfo = info(kFormat);
  using Codes = CodesOf<kInfo.codes>;
  using Scales = ScalesOf<kInfo.scales>;
  if (share_act(strips)) {
    for_strips<4>(
        strips, tiles, [k](auto& weights, auto& act, auto& out) __attribute__((always_inline)) {
          take<Codes, Scales, kInfo.zero, 1>(weights, k, {act[0]}, out, 0, nullptr);
        });
  } else {
    for_strips<4>(
        strips, tiles, [k](auto& weights, auto& act, auto& out) __attribute__((always_inline)) {
          take<Codes, Scales, kInfo.zero, 1>(weights, k, act, out, 0, nullptr);
        });
  }
}

template <BlockFormat kFormat>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
            std::size_t tokens, float* out, std::ptrdiff_t out_stride) {
  constexpr BlockInfo kInfo = info(kFormat);
  using Codes = CodesOf<kInfo.codes>;
  using Scales = ScalesOf<kInfo.scales>;
  switch (tokens) {
    case 1:
      return all_tiles<Codes, Scales, kInfo.zero, 1>(weights, tiles, k, act, out, out_stride);
    case 2:
      return all_tiles<Codes, Scales, kInfo.zero, 2>(weights, tiles, k, act, out, out_stride);
    case 3:
      return all_tiles<Codes, Scales, kInfo.zero, 3>(weights, tiles, k, act, out, out_stride);
    case 4:
      return all_tiles<Codes, Scales, kInfo.zero, 4>(weights, tiles, k, act, out, out_stride);
    case 5:
      return all_tiles<Codes, Scales, kInfo.zero, 5>(weights, tiles, k, act, out, out_stride);
    case 6:
      return all_tiles<Codes, Scales, kInfo.zero, 6>(weights, tiles, k, act, out, out_stride);
  }
}

// ---- Float weights: a line is 16 rows of a column; four sums over columns k % 4. ----

template <FloatFormat kFormat>
__m512 load_floats(const std::byte* p) {
  if constexpr (kFormat == FloatFormat::kF32) return _mm512_load_ps(p);
  if constexpr (kFormat == FloatFormat::kF16) return load_half(p);
  const __m256i bits = _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// MR tokens through one tile.
template <FloatFormat kFormat, int MR>
void float_tile(const std::byte* tile, std::size_t k, const float* const* act, float* out, std::ptrdiff_t out_stride) {
  constexpr std::size_t kColumnBytes = tile_bytes(kFormat, 1);
  const float* rows[MR];
#pragma GCC unroll 6
  for (std::size_t t = 0; t < MR; ++t) rows[t] = act[t];
  __m512 sum[MR][4] = {};
  for (std::size_t column = 0; column < k; column += 4) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const __m512 weights = load_floats<kFormat>(tile);
#pragma GCC unroll 6
      for (int t = 0; t < MR; ++t) {
        sum[t][i] = _mm512_fmadd_ps(weights, _mm512_set1_ps(rows[t][column + i]), sum[t][i]);
      }
      tile += kColumnBytes;
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < MR; ++t) {
    _mm512_storeu_ps(out + t * out_stride,
                     _mm512_add_ps(_mm512_add_ps(sum[t][0], sum[t][1]), _mm512_add_ps(sum[t][2], sum[t][3])));
  }
}

template <FloatFormat kFormat>
void floats(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const float* const> act,
            std::size_t tokens, float* out, std::ptrdiff_t out_stride) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::byte* tile_weights = weights + tile * tile_bytes(kFormat, k);
    std::size_t t = 0;
    const auto take = [&]<int MR>() {
      for (; t + MR <= tokens; t += MR) {
        float_tile<kFormat, MR>(tile_weights, k, &act[t],
                                out + static_cast<std::ptrdiff_t>(t) * out_stride + tile * kTileRows, out_stride);
      }
    };
    take.template operator()<6>();
    take.template operator()<2>();
    take.template operator()<1>();
  }
}

std::uint64_t peak(std::size_t steps) {
  __m512i sums[kChains];
  const __m512i a = _mm512_set1_epi8(1);
  const __m512i b = _mm512_set1_epi8(2);
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_epi32(i);  // so that no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
#pragma GCC unroll 11
  for (int i = 1; i < kChains; ++i) sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(sums[0])));
}

}  // namespace

constexpr std::size_t kMostTokens = 6;
constexpr std::size_t kPeakOperations = 128 * kChains;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::avx512vnni
