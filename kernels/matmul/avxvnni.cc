// Matmul with vpdpbusd on 256 bits.
#include <immintrin.h>

#include <utility>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avxvnni {
namespace {

constexpr std::size_t kAhead = 4096;
constexpr int kMostRows = 4;
constexpr std::size_t kLeastForSlabs = 8;  // with 5 and 6 they lose up to a tenth on Intel
constexpr bool kSignedBytes = false;

// An activation is loaded once for both. The float sums, needed once a block, may lie in memory.
constexpr int halves_of(int) {
  return 2;
}

using Dot = __m256i;

Dot start(__m256i zero) {
  return zero;
}
__m256i finish(Dot dot, __m256i) {
  return dot;
}

__m256i dpbusd(__m256i sum, __m256i codes, __m256i q) {
#if defined(__AVXVNNI__)
  return _mm256_dpbusd_avx_epi32(sum, codes, q);
#else  // AVX-512's, for tests where there is no other
  return _mm256_dpbusd_epi32(sum, codes, q);
#endif
}

template <class, int>
void add(Dot& dot, __m256i codes, __m256i q, int) {
  dot = dpbusd(dot, codes, q);
}

#include "kernels/matmul/avx256.inc"
#include "kernels/matmul/avx256_floats.inc"

constexpr int kChains = 10;

std::uint64_t peak(std::size_t steps) {
  __m256i sums[kChains];
  const __m256i a = _mm256_set1_epi8(1);
  const __m256i b = _mm256_set1_epi8(2);
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_epi32(i);  // so that no two chains are the same
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 10
    for (int i = 0; i < kChains; ++i) sums[i] = dpbusd(sums[i], a, b);
  }
#pragma GCC unroll 9
  for (int i = 1; i < kChains; ++i) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

constexpr std::size_t kMostTokens = kMaxTokens;
constexpr std::size_t kPeakOperations = 64 * kChains;

}  // namespace

#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::avxvnni
