// The table of AVX-512's matmul, and its products of float weights; those of codes are in avx512vnni_blocks.inc.
#include <immintrin.h>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avx512vnni {
namespace {

constexpr int kChains = 12;  // of peak()

// A line is 16 rows of a column; four sums over columns k % 4.
template <FloatFormat kFormat>
__m512 load_floats(const std::byte* p) {
  if constexpr (kFormat == FloatFormat::kF32) return _mm512_load_ps(p);
  const __m256i bits = _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  if constexpr (kFormat == FloatFormat::kF16) return _mm512_cvtph_ps(bits);
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
void floats(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const float* const> act, float* out,
            std::ptrdiff_t out_stride) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::byte* tile_weights = weights + tile * tile_bytes(kFormat, k);
    std::size_t t = 0;
    const auto take = [&]<int MR>() {
      for (; t + MR <= act.size(); t += MR) {
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

constexpr std::size_t kMostTokens = kMaxTokens;
constexpr std::size_t kPeakOperations = 128 * kChains;
#define LFM_BLOCKS_ELSEWHERE
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::avx512vnni
