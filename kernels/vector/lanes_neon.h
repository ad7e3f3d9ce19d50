// 16 floats and 16 integers side by side: the words in which vector.inc and attention.inc are written, for NEON.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/vector/exp_constants.h"

namespace lfm::kernels::neon {
namespace {

struct Floats {
  float32x4_t a, b, c, d;
};
struct Ints {
  int32x4_t a, b, c, d;
};
struct Shorts {  // 16 pairs
  int16x8_t first_front, first_back, second_front, second_back;
};
struct Pair {
  std::int16_t first, second;
};

// `op` on each four lanes.
template <class Op>
[[gnu::always_inline]] inline Floats each(Floats x, Op op) {
  return {op(x.a), op(x.b), op(x.c), op(x.d)};
}
template <class Op>
[[gnu::always_inline]] inline Floats each(Floats x, Floats y, Op op) {
  return {op(x.a, y.a), op(x.b, y.b), op(x.c, y.c), op(x.d, y.d)};
}

inline Floats all(float x) {
  const float32x4_t v = vdupq_n_f32(x);
  return {v, v, v, v};
}
inline Floats load(const float* p) {
  return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
inline void store(float* p, Floats x) {
  vst1q_f32(p, x.a);
  vst1q_f32(p + 4, x.b);
  vst1q_f32(p + 8, x.c);
  vst1q_f32(p + 12, x.d);
}
inline Floats load_f16(const std::uint16_t* p) {
  const float16x8_t front = vreinterpretq_f16_u16(vld1q_u16(p)), back = vreinterpretq_f16_u16(vld1q_u16(p + 8));
  return {vcvt_f32_f16(vget_low_f16(front)), vcvt_high_f32_f16(front), vcvt_f32_f16(vget_low_f16(back)),
          vcvt_high_f32_f16(back)};
}
inline void store_f16(std::uint16_t* p, Floats x) {
  vst1q_u16(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.a), x.b)));
  vst1q_u16(p + 8, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.c), x.d)));
}

inline Floats add(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vaddq_f32(v, w); });
}
inline Floats sub(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vsubq_f32(v, w); });
}
inline Floats mul(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vmulq_f32(v, w); });
}
inline Floats div(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vdivq_f32(v, w); });
}
inline Floats fma(Floats x, Floats y, Floats z) {  // x * y + z
  return {vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c), vfmaq_f32(z.d, x.d, y.d)};
}
inline Floats fnma(Floats x, Floats y, Floats z) {  // -x * y + z
  return {vfmsq_f32(z.a, x.a, y.a), vfmsq_f32(z.b, x.b, y.b), vfmsq_f32(z.c, x.c, y.c), vfmsq_f32(z.d, x.d, y.d)};
}
inline Floats negate(Floats x) {
  return each(x, [](float32x4_t v) { return vnegq_f32(v); });
}

// Where either is NaN, y. (fmax and fmin would take the other, or make a zero's sign the larger one.)
inline Floats max(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vbslq_f32(vcgtq_f32(v, w), v, w); });
}
inline Floats min(Floats x, Floats y) {
  return each(x, y, [](float32x4_t v, float32x4_t w) { return vbslq_f32(vcltq_f32(v, w), v, w); });
}

// Lane i of x where at + i < n, otherwise of y.
inline Floats first(std::size_t n, std::size_t at, Floats x, Floats y) {
  constexpr std::int32_t kLanes[] = {0, 1, 2, 3};
  const int32x4_t lanes = vld1q_s32(kLanes);
  const auto left = static_cast<std::int32_t>(n) - static_cast<std::int32_t>(at);
  const auto before = [&](std::int32_t end) { return vcltq_s32(lanes, vdupq_n_s32(end)); };
  return {vbslq_f32(before(left), x.a, y.a), vbslq_f32(before(left - 4), x.b, y.b),
          vbslq_f32(before(left - 8), x.c, y.c), vbslq_f32(before(left - 12), x.d, y.d)};
}

inline Ints all(std::int32_t x) {
  const int32x4_t v = vdupq_n_s32(x);
  return {v, v, v, v};
}
inline Ints add(Ints x, Ints y) {
  return {vaddq_s32(x.a, y.a), vaddq_s32(x.b, y.b), vaddq_s32(x.c, y.c), vaddq_s32(x.d, y.d)};
}
inline Ints max(Ints x, Ints y) {
  return {vmaxq_s32(x.a, y.a), vmaxq_s32(x.b, y.b), vmaxq_s32(x.c, y.c), vmaxq_s32(x.d, y.d)};
}
inline Ints bits(Floats x) {
  return {vreinterpretq_s32_f32(x.a), vreinterpretq_s32_f32(x.b), vreinterpretq_s32_f32(x.c),
          vreinterpretq_s32_f32(x.d)};
}
inline Ints magnitude_bits(Floats x) {
  return bits(each(x, [](float32x4_t v) { return vabsq_f32(v); }));
}
inline Ints round(Floats x) {
  return {vcvtnq_s32_f32(x.a), vcvtnq_s32_f32(x.b), vcvtnq_s32_f32(x.c), vcvtnq_s32_f32(x.d)};
}

inline float sqrt(float x) {
  return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
}
inline std::int32_t round(float x) {
  return vcvtns_s32_f32(x);
}

// 2^n where x = n + 1.5 * 2^23.
inline Floats exp2_of_shifted(Floats x) {
  return each(x, [](float32x4_t v) {
    const int32x4_t n = vshlq_n_s32(vreinterpretq_s32_f32(v), 23);
    return vreinterpretq_f32_s32(vaddq_s32(n, vreinterpretq_s32_f32(vdupq_n_f32(1.0f))));
  });
}

// 16 bytes, saturated.
inline void store_i8(void* p, Ints x) {
  const int16x8_t front = vqmovn_high_s32(vqmovn_s32(x.a), x.b), back = vqmovn_high_s32(vqmovn_s32(x.c), x.d);
  vst1q_s8(static_cast<std::int8_t*>(p), vqmovn_high_s16(vqmovn_s16(front), back));
}

inline void store_i16(std::int16_t* p, Ints x) {  // saturated
  vst1q_s16(p, vqmovn_high_s32(vqmovn_s32(x.a), x.b));
  vst1q_s16(p + 8, vqmovn_high_s32(vqmovn_s32(x.c), x.d));
}
inline Floats floats(Ints x) {
  return {vcvtq_f32_s32(x.a), vcvtq_f32_s32(x.b), vcvtq_f32_s32(x.c), vcvtq_f32_s32(x.d)};
}

inline Shorts load_i8(const std::int8_t* p) {
  const int8x16x2_t codes = vld2q_s8(p);
  return {vmovl_s8(vget_low_s8(codes.val[0])), vmovl_high_s8(codes.val[0]), vmovl_s8(vget_low_s8(codes.val[1])),
          vmovl_high_s8(codes.val[1])};
}
inline Pair pair(const std::int16_t* p) {
  return {p[0], p[1]};
}
// sum + x.first * y.first + x.second * y.second
inline Ints add_products(Shorts x, Pair y, Ints sum) {
  sum.a = vmlal_n_s16(sum.a, vget_low_s16(x.first_front), y.first);
  sum.b = vmlal_high_n_s16(sum.b, x.first_front, y.first);
  sum.c = vmlal_n_s16(sum.c, vget_low_s16(x.first_back), y.first);
  sum.d = vmlal_high_n_s16(sum.d, x.first_back, y.first);
  sum.a = vmlal_n_s16(sum.a, vget_low_s16(x.second_front), y.second);
  sum.b = vmlal_high_n_s16(sum.b, x.second_front, y.second);
  sum.c = vmlal_n_s16(sum.c, vget_low_s16(x.second_back), y.second);
  sum.d = vmlal_high_n_s16(sum.d, x.second_back, y.second);
  return sum;
}

// Sum of the lanes in the order of vector.h.
inline float fold(Floats x) {
  const float32x4_t l4 = vaddq_f32(vaddq_f32(x.a, x.c), vaddq_f32(x.b, x.d));
  return vpadds_f32(vadd_f32(vget_low_f32(l4), vget_high_f32(l4)));
}
// Of lanes without NaN.
inline float fold_max(Floats x) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.a, x.c), vmaxq_f32(x.b, x.d)));
}
inline std::int32_t fold(Ints x) {
  return vaddvq_s32(vaddq_s32(vaddq_s32(x.a, x.c), vaddq_s32(x.b, x.d)));
}
inline std::int32_t fold_max(Ints x) {
  return vmaxvq_s32(vmaxq_s32(vmaxq_s32(x.a, x.c), vmaxq_s32(x.b, x.d)));
}

#include "kernels/vector/exp.inc"

}  // namespace
}  // namespace lfm::kernels::neon
