// Matmul with vpmaddubsw: sums of pairs in int16, which holds as many products as cannot overflow it, then in int32.
#include <immintrin.h>

#include <utility>

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avx2 {
namespace {

constexpr std::size_t kAhead = 4096;
constexpr int kMostRows = 4;  // 4 + 4 integer and 4 float accumulators
constexpr std::size_t kLeastForSlabs = kMostRows + 1;
constexpr bool kSignedBytes = true;  // unsigned ones would overflow with the first pair

// As many halves as there are registers for.
constexpr int halves_of(int tokens) {
  return tokens <= 2 ? 2 : 1;
}

struct Dot {
  __m256i pairs;  // int16, two a row
  __m256i sum;    // int32, without the zero point
};

Dot start(__m256i) {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
__m256i finish(Dot dot, __m256i zero) {
  return _mm256_add_epi32(dot.sum, zero);
}

// Keeps sums in the order written: GCC would regroup them into a tree, and spill all its leaves.
__m256i in_order(__m256i sum) {
  asm("" : "+x"(sum));
  return sum;
}

// Of signed codes the sign moves to the activation.
template <class Codes, int kOf>
[[gnu::always_inline]] inline void add(Dot& dot, __m256i codes, __m256i q, int before) {
  constexpr int kFit = 32767 / (2 * 127 * Codes::kMax);  // 8 of four bits, 4 of five, 2 of six, 1 of eight
  constexpr int kRun = kFit < kOf ? kFit : kOf;
  const __m256i products = Codes::kSigned ? _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(q, codes))
                                          : _mm256_maddubs_epi16(codes, q);
  dot.pairs = before % kRun == 0 ? products : in_order(_mm256_add_epi16(dot.pairs, products));
  if ((before + 1) % kRun != 0) return;
  const __m256i sums = _mm256_madd_epi16(dot.pairs, _mm256_set1_epi16(1));
  dot.sum = before < kRun ? sums : in_order(_mm256_add_epi32(dot.sum, sums));
}

#include "kernels/matmul/avx256.inc"
#include "kernels/matmul/avx256_floats.inc"

constexpr int kChains = 10;

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

constexpr std::size_t kMostTokens = kMaxTokens;
constexpr std::size_t kPeakOperations = 64 * kChains;

}  // namespace

#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::avx2
