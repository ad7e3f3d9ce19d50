#include <immintrin.h>

#include "kernels/limits/limits.h"

namespace lfm::kernels::avx512vnni {
namespace {

std::uint64_t read(const std::byte* data, std::size_t bytes) {
  const std::size_t part = bytes / kReadStreams;
  __m512i sums[4] = {};
  for (std::size_t at = 0; at < part; at += 256) {
#pragma GCC unroll 4
    for (std::size_t stream = 0; stream < kReadStreams; ++stream) {
      const std::byte* p = data + stream * part + at;
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        sums[i] = _mm512_add_epi64(sums[i], _mm512_load_si512(p + 64 * i));
        _mm_prefetch(p + 64 * i + kReadAhead, _MM_HINT_T0);
      }
    }
  }
  const __m512i sum = _mm512_add_epi64(_mm512_add_epi64(sums[0], sums[1]), _mm512_add_epi64(sums[2], sums[3]));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(sum)));
}

std::uint64_t multiply(std::size_t steps) {
  constexpr int kChains = 12;
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

const LimitKernels kLimits{read, multiply, 128 * 12};

}  // namespace lfm::kernels::avx512vnni
