// 16 floats and 16 integers side by side: the words in which vector.inc and attention.inc are written, for AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/vector/exp_constants.h"

namespace lfm::kernels::avx2 {
namespace {

struct Floats {
  __m256 lo, hi;
};
struct Ints {
  __m256i lo, hi;
};
using Shorts = Ints;   // 16 pairs
using Pair = __m256i;  // the same one in all lanes

inline Floats all(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
inline Floats load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
inline void store(float* p, Floats x) {
  _mm256_storeu_ps(p, x.lo);
  _mm256_storeu_ps(p + 8, x.hi);
}
inline Floats load_f16(const std::uint16_t* p) {
  const auto* halves = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
}
inline void store_f16(std::uint16_t* p, Floats x) {
  auto* halves = reinterpret_cast<__m128i*>(p);
  _mm_storeu_si128(halves, _mm256_cvtps_ph(x.lo, _MM_FROUND_TO_NEAREST_INT));
  _mm_storeu_si128(halves + 1, _mm256_cvtps_ph(x.hi, _MM_FROUND_TO_NEAREST_INT));
}

inline Floats add(Floats a, Floats b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
inline Floats sub(Floats a, Floats b) {
  return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
inline Floats mul(Floats a, Floats b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
inline Floats div(Floats a, Floats b) {
  return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
inline Floats fma(Floats a, Floats b, Floats c) {  // a * b + c
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
inline Floats fnma(Floats a, Floats b, Floats c) {  // -a * b + c
  return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}
inline Floats negate(Floats x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(x.lo, sign), _mm256_xor_ps(x.hi, sign)};
}

// Where either is NaN, b.
inline Floats max(Floats a, Floats b) {
  return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}
inline Floats min(Floats a, Floats b) {
  return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
}

// Lane i of x where at + i < n, otherwise of y.
inline Floats first(std::size_t n, std::size_t at, Floats x, Floats y) {
  const __m256i left = _mm256_set1_epi32(static_cast<int>(n) - static_cast<int>(at));
  const __m256i lo = _mm256_cmpgt_epi32(left, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  const __m256i hi = _mm256_cmpgt_epi32(left, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15));
  return {_mm256_blendv_ps(y.lo, x.lo, _mm256_castsi256_ps(lo)), _mm256_blendv_ps(y.hi, x.hi, _mm256_castsi256_ps(hi))};
}

inline Ints all(std::int32_t x) {
  return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
}
inline Ints add(Ints a, Ints b) {
  return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
}
inline Ints max(Ints a, Ints b) {
  return {_mm256_max_epi32(a.lo, b.lo), _mm256_max_epi32(a.hi, b.hi)};
}
inline Ints bits(Floats x) {
  return {_mm256_castps_si256(x.lo), _mm256_castps_si256(x.hi)};
}
inline Ints magnitude_bits(Floats x) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  return {_mm256_and_si256(bits(x).lo, mask), _mm256_and_si256(bits(x).hi, mask)};
}
inline Ints round(Floats x) {
  return {_mm256_cvtps_epi32(x.lo), _mm256_cvtps_epi32(x.hi)};
}

inline float sqrt(float x) {
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
inline std::int32_t round(float x) {
  return _mm_cvtss_si32(_mm_set_ss(x));
}

// 2^n where x = n + 1.5 * 2^23.
inline Floats exp2_of_shifted(Floats x) {
  const Ints n = {_mm256_slli_epi32(bits(x).lo, 23), _mm256_slli_epi32(bits(x).hi, 23)};
  const Ints power = add(n, bits(all(1.0f)));
  return {_mm256_castsi256_ps(power.lo), _mm256_castsi256_ps(power.hi)};
}

// 16 bytes, saturated.
inline void store_i8(void* p, Ints x) {
  const __m128i lo = _mm_packs_epi32(_mm256_castsi256_si128(x.lo), _mm256_extracti128_si256(x.lo, 1));
  const __m128i hi = _mm_packs_epi32(_mm256_castsi256_si128(x.hi), _mm256_extracti128_si256(x.hi, 1));
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm_packs_epi16(lo, hi));
}

inline void store_i16(std::int16_t* p, Ints x) {  // saturated
  const __m256i mixed = _mm256_packs_epi32(x.lo, x.hi);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(mixed, 0b11'01'10'00));
}
inline Floats floats(Ints x) {
  return {_mm256_cvtepi32_ps(x.lo), _mm256_cvtepi32_ps(x.hi)};
}

inline Shorts load_i8(const std::int8_t* p) {
  const auto* bytes = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(bytes)), _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes + 1))};
}
inline Pair pair(const std::int16_t* p) {
  std::int32_t both;
  __builtin_memcpy(&both, p, sizeof both);
  return _mm256_set1_epi32(both);
}
// sum + x.first * y.first + x.second * y.second
inline Ints add_products(Shorts x, Pair y, Ints sum) {
  return {_mm256_add_epi32(sum.lo, _mm256_madd_epi16(x.lo, y)), _mm256_add_epi32(sum.hi, _mm256_madd_epi16(x.hi, y))};
}

// Sum of the lanes in the order of vector.h.
inline float fold(Floats x) {
  const __m256 l8 = _mm256_add_ps(x.lo, x.hi);
  const __m128 l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
  const __m128 l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
  return _mm_cvtss_f32(_mm_add_ss(l2, _mm_movehdup_ps(l2)));
}
inline float fold_max(Floats x) {
  const __m256 l8 = _mm256_max_ps(x.lo, x.hi);
  const __m128 l4 = _mm_max_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
  const __m128 l2 = _mm_max_ps(l4, _mm_movehl_ps(l4, l4));
  return _mm_cvtss_f32(_mm_max_ss(l2, _mm_movehdup_ps(l2)));
}
inline std::int32_t fold(Ints x) {
  const __m256i l8 = _mm256_add_epi32(x.lo, x.hi);
  const __m128i l4 = _mm_add_epi32(_mm256_castsi256_si128(l8), _mm256_extracti128_si256(l8, 1));
  const __m128i l2 = _mm_add_epi32(l4, _mm_shuffle_epi32(l4, 0b01'00'11'10));
  return _mm_cvtsi128_si32(_mm_add_epi32(l2, _mm_shuffle_epi32(l2, 0b10'11'00'01)));
}
inline std::int32_t fold_max(Ints x) {
  const __m256i l8 = _mm256_max_epi32(x.lo, x.hi);
  const __m128i l4 = _mm_max_epi32(_mm256_castsi256_si128(l8), _mm256_extracti128_si256(l8, 1));
  const __m128i l2 = _mm_max_epi32(l4, _mm_shuffle_epi32(l4, 0b01'00'11'10));
  return _mm_cvtsi128_si32(_mm_max_epi32(l2, _mm_shuffle_epi32(l2, 0b10'11'00'01)));
}

#include "kernels/vector/exp.inc"

}  // namespace
}  // namespace lfm::kernels::avx2
