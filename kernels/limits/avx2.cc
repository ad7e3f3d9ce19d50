#include <immintrin.h>

#include "kernels/limits/limits.h"

namespace lfm::kernels::avx2 {
namespace {

std::uint64_t read(const std::byte* data, std::size_t bytes) {
  const std::size_t part = bytes / kReadStreams;
  __m256i sums[8] = {};
  for (std::size_t at = 0; at < part; at += 256) {
#pragma GCC unroll 4
    for (std::size_t stream = 0; stream < kReadStreams; ++stream) {
      const std::byte* p = data + stream * part + at;
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        sums[i] = _mm256_add_epi64(sums[i], _mm256_load_si256(reinterpret_cast<const __m256i*>(p + 32 * i)));
        if (i % 2 == 0) _mm_prefetch(p + 32 * i + kReadAhead, _MM_HINT_T0);
      }
    }
  }
#pragma GCC unroll 7
  for (int i = 1; i < 8; ++i) sums[0] = _mm256_add_epi64(sums[0], sums[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

std::uint64_t multiply(std::size_t steps) {
  constexpr int kChains = 10;
  __m256i sums[kChains];
  const __m256i a = _mm256_set1_epi8(1);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_epi32(i);
  for (std::size_t step = 0; step < steps; ++step) {
    // The pair of instructions that AVX2 needs where VNNI has one; the sum is an operand, so that none can be hoisted.
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

const LimitKernels kLimits{read, multiply, 64 * 10};

}  // namespace lfm::kernels::avx2
