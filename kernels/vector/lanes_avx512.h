// 16 floats and 16 integers side by side: the words in which vector.inc and attention.inc are written, for AVX-512.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/vector/exp_constants.h"

namespace lfm::kernels::avx512vnni {
namespace {

using Floats = __m512;
using Ints = __m512i;
using Shorts = __m512i;  // 16 pairs
using Pair = __m512i;    // the same one in all lanes

inline Floats all(float x) {
  return _mm512_set1_ps(x);
}
inline Floats load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, Floats x) {
  _mm512_storeu_ps(p, x);
}
inline Floats load_f16(const std::uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_f16(std::uint16_t* p, Floats x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

inline Floats add(Floats a, Floats b) {
  return _mm512_add_ps(a, b);
}
inline Floats sub(Floats a, Floats b) {
  return _mm512_sub_ps(a, b);
}
inline Floats mul(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
inline Floats div(Floats a, Floats b) {
  return _mm512_div_ps(a, b);
}
inline Floats fma(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}  // a * b + c
inline Floats fnma(Floats a, Floats b, Floats c) {
  return _mm512_fnmadd_ps(a, b, c);
}  // -a * b + c
inline Floats negate(Floats x) {
  return _mm512_xor_ps(x, all(-0.0f));
}

// Where either is NaN, b.
inline Floats max(Floats a, Floats b) {
  return _mm512_max_ps(a, b);
}
inline Floats min(Floats a, Floats b) {
  return _mm512_min_ps(a, b);
}

// Lane i of x where at + i < n, otherwise of y.
inline Floats first(std::size_t n, std::size_t at, Floats x, Floats y) {
  const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i place = _mm512_add_epi32(iota, _mm512_set1_epi32(static_cast<int>(at)));
  return _mm512_mask_blend_ps(_mm512_cmplt_epi32_mask(place, _mm512_set1_epi32(static_cast<int>(n))), y, x);
}

inline Ints all(std::int32_t x) {
  return _mm512_set1_epi32(x);
}
inline Ints add(Ints a, Ints b) {
  return _mm512_add_epi32(a, b);
}
inline Ints max(Ints a, Ints b) {
  return _mm512_max_epi32(a, b);
}
inline Ints bits(Floats x) {
  return _mm512_castps_si512(x);
}
inline Ints magnitude_bits(Floats x) {
  return _mm512_and_si512(bits(x), all(0x7fffffff));
}
inline Ints round(Floats x) {
  return _mm512_cvtps_epi32(x);
}

inline float sqrt(float x) {
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
inline std::int32_t round(float x) {
  return _mm_cvtss_si32(_mm_set_ss(x));
}

// 2^n where x = n + 1.5 * 2^23.
inline Floats exp2_of_shifted(Floats x) {
  return _mm512_castsi512_ps(add(_mm512_slli_epi32(bits(x), 23), bits(all(1.0f))));
}

// 16 bytes, saturated.
inline void store_i8(void* p, Ints x) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(x));
}

inline void store_i16(std::int16_t* p, Ints x) {  // saturated
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtsepi32_epi16(x));
}
inline Floats floats(Ints x) {
  return _mm512_cvtepi32_ps(x);
}

inline Shorts load_i8(const std::int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Pair pair(const std::int16_t* p) {
  std::int32_t both;
  __builtin_memcpy(&both, p, sizeof both);
  return _mm512_set1_epi32(both);
}
// sum + x.first * y.first + x.second * y.second
inline Ints add_products(Shorts x, Pair y, Ints sum) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));  // of the intrinsic GCC 12 copies every sum, twice
  return sum;
}

// Sum of the lanes in the order of vector.h.
inline float fold(Floats x) {
  const __m256 l8 = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
  const __m128 l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
  return _mm_cvtss_f32(_mm_add_ss(l2, _mm_movehdup_ps(l2)));
}
inline float fold_max(Floats x) {
  return _mm512_reduce_max_ps(x);
}
inline std::int32_t fold(Ints x) {  // wraps, where _mm512_reduce_add_epi32 of GCC overflows
  const __m256i l8 = _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
  const __m128i l4 = _mm_add_epi32(_mm256_castsi256_si128(l8), _mm256_extracti128_si256(l8, 1));
  const __m128i l2 = _mm_add_epi32(l4, _mm_shuffle_epi32(l4, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(l2, _mm_shuffle_epi32(l2, 0xb1)));
}
inline std::int32_t fold_max(Ints x) {
  return _mm512_reduce_max_epi32(x);
}

#include "kernels/vector/exp.inc"

}  // namespace
}  // namespace lfm::kernels::avx512vnni
