// Matmul with vpmaddubsw. A vector is half a line of layout.h: 8 rows by 4 columns of codes, or a number for each of 8
// rows.
//
//                    row 0                    row 7
//   codes, columns   4l 4l+1 4l+2 4l+3  ...   4l 4l+1 4l+2 4l+3     unsigned operand
//   activations      q[4l .. 4l+3] of one token, to all rows        signed operand
//   pairs, int16     += 2 products each, two pairs a row
//   dot, int32       += pair + pair, of each row
//
// int16 holds as many columns as cannot overflow it; Codes::kRun says how many vectors of codes that is.
// A step takes a block of half a tile through up to four tokens: 4 + 4 integer and 4 float accumulators.
#include <immintrin.h>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avx2 {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kAhead = 4096;  // bytes of weights, of all strips together, between a fetch and their use
constexpr std::size_t kHalfRows = 8;  // rows of a vector
constexpr int kChains = 10;           // of peak()

__m256i load_codes(const std::byte* p) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
}
__m128i load_8_bytes(const std::byte* p) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
}
__m256 load_half(const std::byte* p) {
  return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
__m256i broadcast_int(const std::byte* p) {
  std::int32_t value;
  __builtin_memcpy(&value, p, sizeof(value));
  return _mm256_set1_epi32(value);
}
__m256 broadcast_float(const std::byte* p) {
  return _mm256_castsi256_ps(broadcast_int(p));
}

// ---- Codes: columns<L>(planes) are the codes of columns 4L .. 4L+3 of a block, L = 0 .. 7. ----

template <CodeKind kKind>
struct CodesOf;
using Codes4 = CodesOf<CodeKind::k4Bit>;

// Shifts left, or right where kBits is negative; bits stray between bytes and are masked off by the caller.
template <int kBits>
__m256i shift(__m256i v) {
  if constexpr (kBits > 0) return _mm256_slli_epi16(v, kBits);
  if constexpr (kBits < 0) return _mm256_srli_epi16(v, -kBits);
  return v;
}

template <int kMask>
__m256i mask(__m256i v) {
  return _mm256_and_si256(v, _mm256_set1_epi8(kMask));
}

struct UnsignedCodes {
  static constexpr int zero(int of_format) { return of_format; }
  static __m256i products(__m256i codes, __m256i q) { return _mm256_maddubs_epi16(codes, q); }
};

template <>
struct CodesOf<CodeKind::k4Bit> : UnsignedCodes {  // 8 vectors: 16 * 15 * 127 = 30480
  static constexpr std::size_t kBytes = 4 * kLine;
  static constexpr int kRun = 8;
  template <int L>
  static __m256i columns(const std::byte* planes) {
    return mask<15>(shift < L < 4 ? 0 : -4 > (load_codes(planes + kLine * (L % 4))));
  }
};

template <>
struct CodesOf<CodeKind::k5Bit> : UnsignedCodes {  // 4 vectors: 8 * 31 * 127 = 31496
  static constexpr std::size_t kBytes = 5 * kLine;
  static constexpr int kRun = 4;
  template <int L>
  static __m256i columns(const std::byte* planes) {  // bit L of the fifth bits goes to bit 4
    return _mm256_or_si256(Codes4::columns<L>(planes), mask<0x10>(shift<4 - L>(load_codes(planes + 4 * kLine))));
  }
};

template <>
struct CodesOf<CodeKind::k6Bit> : UnsignedCodes {  // 2 vectors: 4 * 63 * 127 = 32004
  static constexpr std::size_t kBytes = 6 * kLine;
  static constexpr int kRun = 2;
  template <int L>
  static __m256i columns(const std::byte* planes) {  // bits 2(L % 4), +1 of the top bits go to bits 4, 5
    const __m256i top = load_codes(planes + kLine * (4 + L / 4));
    return _mm256_or_si256(Codes4::columns<L>(planes), mask<0x30>(shift<4 - 2 * (L % 4)>(top)));
  }
};

// 1 vector: 2 * 128 * 127 = 32512, with the code's sign moved to the activation. The codes are signed again, so that
// the zero point is 0.
template <>
struct CodesOf<CodeKind::k8Bit> {
  static constexpr int zero(int) { return 0; }
  static constexpr std::size_t kBytes = 8 * kLine;
  static constexpr int kRun = 1;
  template <int L>
  static __m256i columns(const std::byte* planes) {
    return _mm256_xor_si256(load_codes(planes + kLine * L), _mm256_set1_epi8(-128));
  }
  static __m256i products(__m256i codes, __m256i q) {
    return _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(q, codes));
  }
};

// ---- Scales: the header of a group, seen from half a tile, and what its block b is scaled with. ----

template <ScaleKind kKind>
struct ScalesOf;

template <>
struct ScalesOf<ScaleKind::kPair> {
  static constexpr std::size_t kBytes = kLine, kBlocks = 2;
  const std::byte* header;
  std::size_t half;
  __m256 scale(std::size_t b) const { return load_half(header + 32 * b + 16 * half); }
};

template <>
struct ScalesOf<ScaleKind::kMinima> {
  static constexpr std::size_t kBytes = kLine, kBlocks = 1;
  const std::byte* header;
  std::size_t half;
  __m256 scale(std::size_t) const { return load_half(header + 16 * half); }
  __m256 min(std::size_t) const { return load_half(header + 32 + 16 * half); }
};

template <>
struct ScalesOf<ScaleKind::kSuper> {
  static constexpr std::size_t kBytes = 5 * kLine, kBlocks = 8;
  const std::byte* header;
  std::size_t half;
  __m256 scale(std::size_t b) const { return product(0, b); }
  __m256 min(std::size_t b) const { return _mm256_xor_ps(product(1, b), _mm256_set1_ps(-0.0f)); }

 private:
  __m256 product(std::size_t i, std::size_t b) const {
    const __m128i small = load_8_bytes(header + kLine + 32 * b + 16 * i + 8 * half);
    return _mm256_mul_ps(load_half(header + 32 * i + 16 * half), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(small)));
  }
};

template <>
struct ScalesOf<ScaleKind::kHalves> {
  static constexpr std::size_t kBytes = 5 * kLine, kBlocks = 8;
  const std::byte* header;
  std::size_t half;
  __m256 scale(std::size_t) const { return load_half(header + 16 * half); }
  __m256 of_columns(std::size_t b, std::size_t i) const {
    const __m128i small = load_8_bytes(header + kLine + 32 * b + 16 * i + 8 * half);
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(small));
  }
};

// ---- A block of half a tile and some tokens. ----

#include "kernels/matmul/act_block.inc"

// Keeps sums in the order written: GCC would regroup them into a tree, and spill all its leaves.
__m256i in_order(__m256i sum) {
  asm("" : "+x"(sum));
  return sum;
}

// The integer dots of columns 4L .. 4L+3 of all L, without the zero point.
template <class Codes, int... L, int MR>
[[gnu::always_inline]] inline void dot_columns(const std::byte* planes, const ActBlock<MR>& act, __m256i (&dot)[MR]) {
  __m256i pairs[MR];
  int taken = 0;
  const auto add = [&](__m256i codes, int l) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int t = 0; t < MR; ++t) {
      const __m256i products = Codes::products(codes, act.q(t, l));
      pairs[t] = taken % Codes::kRun == 0 ? products : in_order(_mm256_add_epi16(pairs[t], products));
    }
    if (++taken % Codes::kRun != 0) return;
#pragma GCC unroll 4
    for (int t = 0; t < MR; ++t) {
      const __m256i sums = _mm256_madd_epi16(pairs[t], _mm256_set1_epi16(1));
      dot[t] = taken == Codes::kRun ? sums : in_order(_mm256_add_epi32(dot[t], sums));
    }
  };
  (add(Codes::template columns<L>(planes), L), ...);
}

// dot plus the zero point's share, from -8 times the sum of the activations.
template <int kZero>
__m256 with_zero(__m256i dot, __m256i neg8_sum) {
  constexpr int kShift = kZero == 8 ? 0 : kZero == 16 ? 1 : 2;
  if constexpr (kZero != 0) dot = _mm256_add_epi32(dot, _mm256_slli_epi32(neg8_sum, kShift));
  return _mm256_cvtepi32_ps(dot);
}

template <class Codes, int kZero, class Scales, int MR>
[[gnu::always_inline]] inline void step(const Scales& scales, std::size_t b, const std::byte* planes,
                                        const ActBlock<MR>& act, __m256 (&sum)[MR]) {
  __m256i dot[MR];
  dot_columns<Codes, 0, 4, 1, 5, 2, 6, 3, 7>(planes, act, dot);
  const __m256 scale = scales.scale(b);
#pragma GCC unroll 4
  for (int t = 0; t < MR; ++t) {
    sum[t] = _mm256_fmadd_ps(with_zero<kZero>(dot[t], act.neg8_sum(t)), _mm256_mul_ps(scale, act.scale(t)), sum[t]);
  }
  if constexpr (requires { scales.min(b); }) {
    const __m256 min = scales.min(b);
#pragma GCC unroll 4
    for (int t = 0; t < MR; ++t) sum[t] = _mm256_fmadd_ps(min, act.scaled_sum(t), sum[t]);
  }
}

// Q6_K: 16 columns have a scale. Scaled and added, both dots of a block stay below 2^24, exact in float.
template <class Codes, int kZero, int MR>
[[gnu::always_inline]] inline void step(const ScalesOf<ScaleKind::kHalves>& scales, std::size_t b,
                                        const std::byte* planes, const ActBlock<MR>& act, __m256 (&sum)[MR]) {
  __m256i dot[MR];
  __m256 low[MR];
  dot_columns<Codes, 0, 1, 2, 3>(planes, act, dot);
#pragma GCC unroll 4
  for (int t = 0; t < MR; ++t) {
    low[t] = _mm256_mul_ps(with_zero<kZero>(dot[t], act.neg8_low(t)), scales.of_columns(b, 0));
  }
  dot_columns<Codes, 4, 5, 6, 7>(planes, act, dot);
#pragma GCC unroll 4
  for (int t = 0; t < MR; ++t) {
    const __m256 high = with_zero<kZero>(dot[t], _mm256_sub_epi32(act.neg8_sum(t), act.neg8_low(t)));
    const __m256 both = _mm256_fmadd_ps(high, scales.of_columns(b, 1), low[t]);
    sum[t] = _mm256_fmadd_ps(both, _mm256_mul_ps(scales.scale(b), act.scale(t)), sum[t]);
  }
}

// ---- Tiles. ----

// Fetches weights that come later: the share of block b in a group, `ahead` bytes on.
template <class Codes, class Scales>
[[gnu::always_inline]] inline void fetch_ahead(const std::byte* group, std::size_t b, std::size_t ahead) {
  constexpr std::size_t kShare = Scales::kBytes / Scales::kBlocks + Codes::kBytes;
  const std::byte* share = group + ahead + b * kShare;
#pragma GCC unroll 9
  for (std::size_t i = 0; i < kShare; i += kLine) _mm_prefetch(share + i, _MM_HINT_T0);
}

// kHalves halves of a tile, from half `half`, and MR tokens.
template <class Codes, class Scales, int kZero, std::size_t kHalves, int MR>
void take(const std::byte* group, std::size_t half, std::size_t k, const std::byte* const* act, float* out,
          std::ptrdiff_t out_stride) {
  const std::byte* rows[MR];
#pragma GCC unroll 4
  for (int t = 0; t < MR; ++t) rows[t] = act[t];
  __m256 sum[kHalves][MR] = {};
  std::size_t at = 0;
  for (std::size_t left = k / kBlockColumns; left > 0;) {
    const std::size_t blocks = left < Scales::kBlocks ? left : Scales::kBlocks;
    const std::byte* planes = group + Scales::kBytes + 32 * half;
    for (std::size_t b = 0; b < blocks; ++b) {
      if (half == 0) fetch_ahead<Codes, Scales>(group, b, kAhead);
#pragma GCC unroll 2
      for (std::size_t h = 0; h < kHalves; ++h) {
        step<Codes, kZero>(Scales{group, half + h}, b, planes + 32 * h, ActBlock<MR>{rows, at}, sum[h]);
      }
      planes += Codes::kBytes;
      at += kActBlockBytes;
    }
    group += Scales::kBytes + Scales::kBlocks * Codes::kBytes;
    left -= blocks;
  }
#pragma GCC unroll 2
  for (std::size_t h = 0; h < kHalves; ++h) {
#pragma GCC unroll 4
    for (int t = 0; t < MR; ++t) _mm256_storeu_ps(out + t * out_stride + h * kHalfRows, sum[h][t]);
  }
}

// With one or two tokens, both halves of a tile go together.
template <class Codes, class Scales, int kZero, int MR>
void tiles_by(const std::byte* weights, std::size_t tiles, std::size_t k, const std::byte* const* act, float* out,
              std::ptrdiff_t out_stride) {
  constexpr std::size_t kHalves = MR <= 2 ? 2 : 1;
  const std::size_t groups = (k / kBlockColumns + Scales::kBlocks - 1) / Scales::kBlocks;
  const std::size_t tile_bytes = groups * (Scales::kBytes + Scales::kBlocks * Codes::kBytes);
  for (; tiles > 0; --tiles) {
    for (std::size_t half = 0; half < 2; half += kHalves) {
      take<Codes, Scales, kZero, kHalves, MR>(weights, half, k, act, out + half * kHalfRows, out_stride);
    }
    weights += tile_bytes;
    out += kTileRows;
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
      return tiles_by<Codes, Scales, Codes::zero(kInfo.zero), 1>(weights, tiles, k, act.data(), out, out_stride);
    case 2:
      return tiles_by<Codes, Scales, Codes::zero(kInfo.zero), 2>(weights, tiles, k, act.data(), out, out_stride);
    case 3:
      return tiles_by<Codes, Scales, Codes::zero(kInfo.zero), 3>(weights, tiles, k, act.data(), out, out_stride);
    case 4:
      return tiles_by<Codes, Scales, Codes::zero(kInfo.zero), 4>(weights, tiles, k, act.data(), out, out_stride);
  }
}

// A tile of each strip.
template <class Codes, class Scales, int kZero, std::size_t kStrips>
[[gnu::always_inline]] inline void take_each(const std::byte* (&groups)[kStrips], std::size_t k,
                                             const std::byte* const (&acts)[kStrips], float* const (&out)[kStrips]) {
  __m256 sum[kStrips][2][1] = {};
  std::size_t at = 0;
  for (std::size_t left = k / kBlockColumns; left > 0;) {
    const std::size_t blocks = left < Scales::kBlocks ? left : Scales::kBlocks;
    for (std::size_t b = 0; b < blocks; ++b) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kStrips; ++i) {
        const std::byte* const row[] = {acts[i]};
        const std::byte* planes = groups[i] + Scales::kBytes + b * Codes::kBytes;
        fetch_ahead<Codes, Scales>(groups[i], b, kAhead / kStrips);
#pragma GCC unroll 2
        for (std::size_t h = 0; h < 2; ++h) {
          step<Codes, kZero>(Scales{groups[i], h}, b, planes + 32 * h, ActBlock<1>{row, at}, sum[i][h]);
        }
      }
      at += kActBlockBytes;
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kStrips; ++i) groups[i] += Scales::kBytes + Scales::kBlocks * Codes::kBytes;
    left -= blocks;
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kStrips; ++i) {
#pragma GCC unroll 2
    for (std::size_t h = 0; h < 2; ++h) _mm256_storeu_ps(out[i] + h * kHalfRows, sum[i][h][0]);
  }
}

#include "kernels/matmul/strips.inc"

// Four at a time.
template <BlockFormat kFormat>
void strips(std::span<const Strip> strips, std::size_t tiles, std::size_t k) {
  constexpr BlockInfo kInfo = info(kFormat);
  using Codes = CodesOf<kInfo.codes>;
  using Scales = ScalesOf<kInfo.scales>;
  for_strips<4>(
      strips, tiles, [k](auto& weights, auto& act, auto& out) __attribute__((always_inline)) {
        take_each<Codes, Scales, Codes::zero(kInfo.zero)>(weights, k, act, out);
      });
}

// ---- Float weights: half a line is 8 rows of a column; four sums over columns k % 4. ----

template <FloatFormat kFormat>
__m256 load_floats(const std::byte* p) {
  if constexpr (kFormat == FloatFormat::kF32) return _mm256_load_ps(reinterpret_cast<const float*>(p));
  if constexpr (kFormat == FloatFormat::kF16) return load_half(p);
  const __m128i bits = _mm_load_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

// MR tokens through kHalves halves of a tile.
template <FloatFormat kFormat, int MR, int kHalves>
void float_tile(const std::byte* half, std::size_t k, const float* const* act, float* out, std::ptrdiff_t out_stride) {
  constexpr std::size_t kColumnBytes = tile_bytes(kFormat, 1);
  constexpr int kRows = static_cast<int>(kHalfRows);
  const float* rows[MR];
#pragma GCC unroll 3
  for (int t = 0; t < MR; ++t) rows[t] = act[t];
  __m256 sum[MR][kHalves][4] = {};
  for (std::size_t column = 0; column < k; column += 4) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) {
        const __m256 weights = load_floats<kFormat>(half + kColumnBytes / 2 * static_cast<std::size_t>(h));
#pragma GCC unroll 3
        for (int t = 0; t < MR; ++t) {
          sum[t][h][i] = _mm256_fmadd_ps(weights, _mm256_set1_ps(rows[t][column + i]), sum[t][h][i]);
        }
      }
      half += kColumnBytes;
    }
  }
#pragma GCC unroll 3
  for (int t = 0; t < MR; ++t) {
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) {
      const __m256* s = sum[t][h];
      _mm256_storeu_ps(out + t * out_stride + kRows * h,
                       _mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
    }
  }
}

template <FloatFormat kFormat>
void floats(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const float* const> act,
            std::size_t tokens, float* out, std::ptrdiff_t out_stride) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    float* tile_out = out + tile * kTileRows;
    std::size_t t = 0;
    for (; t + 3 <= tokens; t += 3) {
      float_tile<kFormat, 3, 1>(weights, k, &act[t], tile_out, out_stride);
      float_tile<kFormat, 3, 1>(weights + tile_bytes(kFormat, 1) / 2, k, &act[t], tile_out + kHalfRows, out_stride);
      tile_out += 3 * out_stride;
    }
    for (; t < tokens; ++t) {
      float_tile<kFormat, 1, 2>(weights, k, &act[t], tile_out, out_stride);
      tile_out += out_stride;
    }
    weights += tile_bytes(kFormat, k);
  }
}

std::uint64_t peak(std::size_t steps) {
  __m256i sums[kChains];
  const __m256i a = _mm256_set1_epi8(1);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_epi32(i);  // so that no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
    // The sum is an operand, so that none can be hoisted.
#pragma GCC unroll 10
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, sums[i]), ones));
    }
  }
#pragma GCC unroll 9
  for (int i = 1; i < kChains; ++i) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

}  // namespace

constexpr std::size_t kMostTokens = 4;
constexpr std::size_t kPeakOperations = 64 * kChains;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::avx2
