// Matmul with vpdpbusd. A vector is a line of layout.h: 16 rows by 4 columns of codes, or a number for each of 16 rows.
//
//                    row 0     row 1           row 15
//   codes, columns   4l .. +3  4l .. +3  ...   4l .. +3     unsigned operand
//   activations      q[4l..+3] of one token, to all rows    signed operand, broadcast from memory
//   dot              += 4 products of each row
//
// A step takes a block of one tile through MR tokens: MR integer dots in registers (they begin with the zero point's
// share), then scaled into MR float sums that stay in registers along K. 12 + 12 registers, and 4 for codes and scales.
#include <immintrin.h>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avx512vnni {
namespace {

constexpr std::size_t kLine = 64;

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
// sum + codes * the four activations at q. GCC would broadcast with an instruction of its own.
__m512i add_products(__m512i sum, __m512i codes, const std::byte* q) {
  using Word [[gnu::may_alias]] = std::int32_t;
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(codes), "m"(*reinterpret_cast<const Word*>(q)));
  return sum;
}

__m512 broadcast_float(const std::byte* p) {
  return _mm512_castsi512_ps(broadcast_int(p));
}

// ---- Codes: columns<L>(planes) are the codes of columns 4L .. 4L+3 of a block, L = 0 .. 7. ----

struct Codes4 {
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

struct Codes5 {
  static constexpr std::size_t kBytes = 5 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {  // bit L of the fifth bits goes to bit 4
    const __m512i line = load_line(planes + kLine * (L % 4));
    return with_high_bits<0x10>(shift < L < 4 ? 0 : -4 > (line), shift<4 - L>(load_line(planes + 4 * kLine)));
  }
};

struct Codes6 {
  static constexpr std::size_t kBytes = 6 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {  // bits 2(L % 4), +1 of the top bits go to bits 4, 5
    const __m512i line = load_line(planes + kLine * (L % 4));
    return with_high_bits<0x30>(shift < L < 4 ? 0 : -4 > (line),
                                shift<4 - 2 * (L % 4)>(load_line(planes + kLine * (4 + L / 4))));
  }
};

struct Codes8 {
  static constexpr std::size_t kBytes = 8 * kLine;
  template <int L>
  static __m512i columns(const std::byte* planes) {
    return load_line(planes + kLine * L);
  }
};

// ---- Scales: the header of a group, and what its block b is scaled with. ----

struct PairScales {  // Q4_0, Q5_0, Q8_0
  static constexpr std::size_t kBytes = kLine, kBlocks = 2;
  const std::byte* header;
  __m512 scale(std::size_t b) const { return load_half(header + 32 * b); }
};

struct MinScales {  // Q4_1, Q5_1
  static constexpr std::size_t kBytes = kLine, kBlocks = 1;
  const std::byte* header;
  __m512 scale(std::size_t) const { return load_half(header); }
  __m512 min(std::size_t) const { return load_half(header + 32); }
};

struct SuperScales {  // Q4_K, Q5_K
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

struct HalfScales {  // Q6_K
  static constexpr std::size_t kBytes = 5 * kLine, kBlocks = 8;
  const std::byte* header;
  __m512 scale(std::size_t) const { return load_half(header); }
  __m512 half(std::size_t b, std::size_t i) const {
    return _mm512_cvtepi32_ps(load_i8(header + kLine + 32 * b + 16 * i));
  }
};

// ---- A block of one tile and MR tokens. ----

// Adds the products of columns 4L .. 4L+3, for each L in turn.
template <class Codes, int... L, int MR>
[[gnu::always_inline]] inline void add_columns(const std::byte* planes, const std::byte* act, __m512i (&dot)[MR]) {
  const auto add = [&](__m512i codes, const std::byte* q) __attribute__((always_inline)) {
#pragma GCC unroll 12
    for (int t = 0; t < MR; ++t) dot[t] = add_products(dot[t], codes, q + 32 * t);
  };
  (add(Codes::template columns<L>(planes), act + 4 * L), ...);
}

// The words that follow the codes of an activation block.
template <int MR>
struct ActWords {
  const std::byte* base;
  explicit ActWords(const std::byte* act) : base(act + kBlockColumns * MR) {}
  __m512 scale(int t) const { return broadcast_float(base + 4 * t); }
  __m512i neg8_sum(int t) const { return broadcast_int(base + 4 * (MR + t)); }
  __m512i neg8_low(int t) const { return broadcast_int(base + 4 * (2 * MR + t)); }
  __m512 scaled_sum(int t) const { return broadcast_float(base + 4 * (3 * MR + t)); }
};

template <class Codes, int kZero, class Scales, int MR>
[[gnu::always_inline]] inline void step(const Scales& scales, std::size_t b, const std::byte* planes,
                                        const std::byte* act, __m512 (&sum)[MR]) {
  const ActWords<MR> words(act);
  __m512i dot[MR];
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) {
    dot[t] = zero_share<kZero>(words.neg8_sum(t));
  }
  add_columns<Codes, 0, 4, 1, 5, 2, 6, 3, 7>(planes, act, dot);
  const __m512 scale = scales.scale(b);
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) {
    sum[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), _mm512_mul_ps(scale, words.scale(t)), sum[t]);
  }
  if constexpr (requires { scales.min(b); }) {
    const __m512 min = scales.min(b);
#pragma GCC unroll 12
    for (int t = 0; t < MR; ++t) sum[t] = _mm512_fmadd_ps(min, words.scaled_sum(t), sum[t]);
  }
}

// Q6_K: both halves of a block have a scale. Scaled and added, the halves stay below 2^24, exact in float.
template <class Codes, int kZero, int MR>
[[gnu::always_inline]] inline void step(const HalfScales& scales, std::size_t b, const std::byte* planes,
                                        const std::byte* act, __m512 (&sum)[MR]) {
  const ActWords<MR> words(act);
  __m512i dot[MR];
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) dot[t] = zero_share<kZero>(words.neg8_low(t));
  add_columns<Codes, 0, 1, 2, 3>(planes, act, dot);
  alignas(64) float low[MR][kTileRows];  // leaves the registers to the other half
  const __m512 low_step = scales.half(b, 0);
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) _mm512_store_ps(low[t], _mm512_mul_ps(_mm512_cvtepi32_ps(dot[t]), low_step));
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) {
    dot[t] = zero_share<kZero>(_mm512_sub_epi32(words.neg8_sum(t), words.neg8_low(t)));
  }
  add_columns<Codes, 4, 5, 6, 7>(planes, act, dot);
  const __m512 high_step = scales.half(b, 1);
  const __m512 scale = scales.scale(b);
#pragma GCC unroll 12
  for (int t = 0; t < MR; ++t) {
    const __m512 both = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), high_step, _mm512_load_ps(low[t]));
    sum[t] = _mm512_fmadd_ps(both, _mm512_mul_ps(scale, words.scale(t)), sum[t]);
  }
}

// Fetches weights that come later: the share of block b in a group, kAhead bytes on.
template <class Codes, class Scales, std::size_t kAhead>
[[gnu::always_inline]] inline void fetch_ahead(const std::byte* group, std::size_t b) {
  constexpr std::size_t kShare = Scales::kBytes / Scales::kBlocks + Codes::kBytes;
  const std::byte* share = group + kAhead + b * kShare;
#pragma GCC unroll 9
  for (std::size_t i = 0; i < kShare; i += kLine) _mm_prefetch(share + i, _MM_HINT_T0);
}

// Weights are read in the order in which they lie, tile by tile, so that fetching ahead of them works however few
// tokens there are to hide the memory behind.
template <class Codes, class Scales, int kZero, int MR>
void tiles_by(const std::byte* weights, std::size_t tiles, std::size_t k, const std::byte* act, float* out,
              std::ptrdiff_t out_stride) {
  // Bytes between a fetch and its use: few tokens pass faster.
  constexpr std::size_t kAhead = MR <= 2 ? 4096 : 2048;
  const std::size_t blocks = k / kBlockColumns;
  const std::byte* group = weights;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::byte* block_act = act;
    __m512 sum[MR];
#pragma GCC unroll 12
    for (int t = 0; t < MR; ++t) sum[t] = _mm512_setzero_ps();
    for (std::size_t first = 0; first < blocks; first += Scales::kBlocks) {
      const std::byte* planes = group + Scales::kBytes;
      for (std::size_t b = 0; b < Scales::kBlocks && first + b < blocks; ++b) {
        fetch_ahead<Codes, Scales, kAhead>(group, b);
        step<Codes, kZero>(Scales{group}, b, planes, block_act, sum);
        planes += Codes::kBytes;
        block_act += kActBlockBytes * MR;
      }
      group += Scales::kBytes + Scales::kBlocks * Codes::kBytes;
    }
#pragma GCC unroll 12
    for (int t = 0; t < MR; ++t) _mm512_storeu_ps(out + t * out_stride, sum[t]);
    out += kTileRows;
  }
}

template <class Codes, class Scales, int kZero>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, const std::byte* act, std::size_t mr,
            float* out, std::ptrdiff_t out_stride) {
  switch (mr) {
    case 1:
      return tiles_by<Codes, Scales, kZero, 1>(weights, tiles, k, act, out, out_stride);
    case 2:
      return tiles_by<Codes, Scales, kZero, 2>(weights, tiles, k, act, out, out_stride);
    case 4:
      return tiles_by<Codes, Scales, kZero, 4>(weights, tiles, k, act, out, out_stride);
    case 8:
      return tiles_by<Codes, Scales, kZero, 8>(weights, tiles, k, act, out, out_stride);
    case 12:
      return tiles_by<Codes, Scales, kZero, 12>(weights, tiles, k, act, out, out_stride);
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
void float_tile(const std::byte* tile, std::size_t k, const float* act, std::ptrdiff_t act_stride, float* out,
                std::ptrdiff_t out_stride) {
  constexpr std::size_t kColumnBytes = tile_bytes(kFormat, 1);
  __m512 sum[MR][4] = {};
  for (std::size_t column = 0; column < k; column += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m512 weights = load_floats<kFormat>(tile);
#pragma GCC unroll 6
      for (int t = 0; t < MR; ++t) {
        sum[t][i] = _mm512_fmadd_ps(weights, _mm512_set1_ps(act[t * act_stride + i]), sum[t][i]);
      }
      tile += kColumnBytes;
    }
    act += 4;
  }
#pragma GCC unroll 6
  for (int t = 0; t < MR; ++t) {
    _mm512_storeu_ps(out + t * out_stride,
                     _mm512_add_ps(_mm512_add_ps(sum[t][0], sum[t][1]), _mm512_add_ps(sum[t][2], sum[t][3])));
  }
}

template <FloatFormat kFormat>
void floats(const std::byte* weights, std::size_t tiles, std::size_t k, const float* act, std::ptrdiff_t act_stride,
            std::size_t tokens, float* out, std::ptrdiff_t out_stride) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::byte* tile_weights = weights + tile * tile_bytes(kFormat, k);
    std::size_t t = 0;
    const auto take = [&]<int MR>() {
      for (; t + MR <= tokens; t += MR) {
        const auto token = static_cast<std::ptrdiff_t>(t);
        float_tile<kFormat, MR>(tile_weights, k, act + token * act_stride, act_stride,
                                out + token * out_stride + tile * kTileRows, out_stride);
      }
    };
    take.template operator()<6>();
    take.template operator()<2>();
    take.template operator()<1>();
  }
}

}  // namespace

const MatmulKernels kMatmul = {
    {blocks<Codes4, PairScales, 8>, blocks<Codes4, MinScales, 0>, blocks<Codes5, PairScales, 16>,
     blocks<Codes5, MinScales, 0>, blocks<Codes8, PairScales, 128>, blocks<Codes4, SuperScales, 0>,
     blocks<Codes5, SuperScales, 0>, blocks<Codes6, HalfScales, 32>},
    {floats<FloatFormat::kF32>, floats<FloatFormat::kF16>, floats<FloatFormat::kBF16>},
};

}  // namespace lfm::kernels::avx512vnni
