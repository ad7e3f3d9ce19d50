// Kernels on rows of floats: norms, activations, quantisation, rotation, the short convolution.
// The order of the arithmetic is part of the contract, and the same in every ISA, so that all give the same bits.
//
// Sums over n elements run in 16 lanes: lane i % 16 is a chain in ascending order; then lanes are folded
// l[j] += l[j + 8], l[j] += l[j + 4], l[j] += l[j + 2], l[j] += l[j + 1].
//
// exp(x), used below and by attention (relative error < 2e-7):
//     x clamped to [-87, 88];  n = x * log2(e) rounded once, to an integer;  r = fma(-n, ln2_high, x);
//     r = fma(-n, ln2_low, r);  p = Horner with fma, degree 6 (coefficients in exp_constants.h);  result = p * 2^n
//
// NaN stays NaN; which one it is (sign and payload) is left open. The sign of a zero is not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::kernels {

inline constexpr std::size_t kMaxTaps = 8;      // of the short convolution
inline constexpr std::size_t kReadStreams = 4;  // of read()

struct VectorKernels {
  // out[i] = (x[i] * s) * gamma[i],  s = 1 / sqrt(sum(x^2) / n + eps); squares are added with fma. Where their
  // sum is beyond float, s is NaN, so that it reaches the result.  n % 16 == 0. out may be x.
  void (*rms_norm)(const float* x, const float* gamma, std::size_t n, float eps, float* out);

  // Writes a row of activations, kernels/matmul/layout.h: per 32 columns
  //     scale = amax / 127,  q = round_to_even(x * (127 / amax));  amax < 2^-100 gives zeros.
  // NaN or infinity in a block makes its scale NaN and its codes 0, so that it reaches the result.  k % 32 == 0.
  void (*quantize_act)(const float* x, std::size_t k, std::byte* act);

  // One row to int8 with one scale and zero point (XNNPACK's qd8):  x = (q - zero_point) * scale.
  //     low = min(x, 0), high = max(x, 0);  inverse = 255 / (high - low);  scale = 1 / inverse
  //     zero_point = round_to_even(-128 - low * inverse)
  //     q = round_to_even(x * inverse) + zero_point, kept in -128..127
  // high - low < 2^-100 gives zeros. NaN, infinity or a range beyond float gives scale NaN, the rest 0.  k % 16 == 0.
  void (*quantize_row)(const float* x, std::size_t k, std::int8_t* q, float* scale, std::int32_t* zero_point);

  // out[i] = (gate[i] / (1 + exp(-gate[i]))) * up[i].  n % 16 == 0. out may be gate or up.
  void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out);

  // out[i] = fma(weight, x[i], out[i]).  n % 16 == 0.
  void (*add_scaled)(const float* x, float weight, std::size_t n, float* out);

  // out[i] += x[i].  n % 16 == 0.
  void (*add)(const float* x, std::size_t n, float* out);

  // Rotary embedding of one head in place, NEOX pairs (i, i + head_dim / 2):
  //     a = x[i], b = x[i + half];  x[i] = fma(-b, sin[i], a * cos[i]);  x[i + half] = fma(a, sin[i], b * cos[i])
  // head_dim % 32 == 0; cos, sin (head_dim / 2).
  void (*rope)(float* x, const float* cos, const float* sin, std::size_t head_dim);

  // Gated short convolution (LFM2) of 16 channels over consecutive tokens:
  //     bx = B * x;   y = C * (chain over taps: w[0] * s[0], then fma of w[1] s[1], ..., w[L-1] bx)
  // where s are the last L-1 values of bx, oldest first; state is moved on.
  //   b, c, x  tokens rows of 16 floats, in_stride floats from one token to the next
  //   taps     (L, 16), tap L-1 is the current token;  state (L-1, 16), updated;  out tokens rows of 16 floats
  // 2 <= L <= kMaxTaps.
  void (*short_conv)(const float* b, const float* c, const float* x, std::ptrdiff_t in_stride, std::size_t tokens,
                     const float* taps, std::size_t l, float* state, float* out, std::ptrdiff_t out_stride);

  // The sum of the 32-bit words, modulo 2^32: reads all bytes once, as kReadStreams streams side by side and fetching
  // ahead in each. A core has more reads under way so than in one stream, so this is how fast it can read at most, by
  // which other kernels are judged.  bytes % 1024 == 0.
  std::uint32_t (*read)(const std::byte* data, std::size_t bytes);
};

#define LFM_ISA(id, name, matmul, vector, ...) \
  namespace vector {                           \
  extern const VectorKernels kVector;          \
  }
#include "kernels/isas.inc"

}  // namespace lfm::kernels
