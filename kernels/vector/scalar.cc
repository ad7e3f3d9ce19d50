#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/matmul/layout.h"
#include "kernels/vector/exp_scalar.h"
#include "kernels/vector/vector.h"

namespace lfm::kernels::scalar {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kTiny = 0x1p-100f;  // magnitudes below it are quantised as zero: 127 / tiny must not overflow

void rms_norm(const float* x, const float* gamma, std::size_t n, float eps, float* out) {
  float lanes[16] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i % 16] = std::fma(x[i], x[i], lanes[i % 16]);
  const float mean = fold(lanes) / static_cast<float>(n);
  const float s = std::isfinite(mean) ? 1.0f / std::sqrt(mean + eps) : kNan;
  for (std::size_t i = 0; i < n; ++i) out[i] = (x[i] * s) * gamma[i];
}

void quantize_act(const float* x, std::size_t k, std::byte* act) {
  for (std::size_t i = 0; i < k; i += kBlockColumns) {
    float amax = 0.0f;
    bool finite = true;
    for (std::size_t c = 0; c < kBlockColumns; ++c) {
      amax = std::max(amax, std::fabs(x[i + c]));
      finite = finite && std::isfinite(x[i + c]);
    }
    const bool zero = amax < kTiny || !finite;
    const float scale = !finite ? kNan : zero ? 0.0f : amax / 127.0f;
    const float inverse = 127.0f / amax;

    std::int8_t q[kBlockColumns] = {};
    std::int32_t low = 0, sum = 0;
    for (std::size_t c = 0; c < kBlockColumns && !zero; ++c) {
      q[c] = static_cast<std::int8_t>(std::nearbyint(x[i + c] * inverse));
      sum += q[c];
      if (c < kBlockColumns / 2) low += q[c];
    }
    const std::int32_t neg8_sum = -8 * sum, neg8_low = -8 * low;
    const float scaled_sum = scale * static_cast<float>(sum);

    std::byte* block = act + i / kBlockColumns * kActBlockBytes;
    std::memcpy(block, q, sizeof q);
    std::memcpy(block + 32, &scale, 4);
    std::memcpy(block + 36, &neg8_sum, 4);
    std::memcpy(block + 40, &neg8_low, 4);
    std::memcpy(block + 44, &scaled_sum, 4);
  }
}

void quantize_row(const float* x, std::size_t k, std::int8_t* q, float* scale, std::int32_t* zero_point) {
  float low = 0.0f, high = 0.0f;
  bool finite = true;
  for (std::size_t i = 0; i < k; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    finite = finite && std::isfinite(x[i]);
  }
  const float range = high - low;
  finite = finite && std::isfinite(range);
  if (!finite || range < kTiny) {
    std::memset(q, 0, k);
    *scale = finite ? 0.0f : kNan;
    *zero_point = 0;
    return;
  }
  const float inverse = 255.0f / range;
  *zero_point = static_cast<std::int32_t>(std::nearbyint(-128.0f - low * inverse));
  *scale = 1.0f / inverse;
  for (std::size_t i = 0; i < k; ++i) {
    const auto code = static_cast<std::int32_t>(std::nearbyint(x[i] * inverse)) + *zero_point;
    q[i] = static_cast<std::int8_t>(std::clamp(code, -128, 127));
  }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (gate[i] / (1.0f + exp(-gate[i]))) * up[i];
}

void add_scaled(const float* x, float weight, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = std::fma(weight, x[i], out[i]);
}

void add(const float* x, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] += x[i];
}

void rope(float* x, const float* cos, const float* sin, std::size_t head_dim) {
  const std::size_t half = head_dim / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    x[i] = std::fma(-b, sin[i], a * cos[i]);
    x[i + half] = std::fma(a, sin[i], b * cos[i]);
  }
}

void short_conv(const float* b, const float* c, const float* x, std::ptrdiff_t in_stride, std::size_t tokens,
                const float* taps, std::size_t l, float* state, float* out, std::ptrdiff_t out_stride) {
  for (std::size_t t = 0; t < tokens; ++t, b += in_stride, c += in_stride, x += in_stride, out += out_stride) {
    for (std::size_t channel = 0; channel < 16; ++channel) {
      const float bx = b[channel] * x[channel];
      float sum = taps[channel] * state[channel];
      for (std::size_t tap = 1; tap < l; ++tap) {
        const float value = tap + 1 < l ? state[tap * 16 + channel] : bx;
        sum = std::fma(taps[tap * 16 + channel], value, sum);
        state[(tap - 1) * 16 + channel] = value;
      }
      out[channel] = c[channel] * sum;
    }
  }
}

std::uint32_t read(const std::byte* data, std::size_t bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes; i += 4) {
    std::uint32_t word;
    std::memcpy(&word, data + i, 4);
    sum += word;
  }
  return sum;
}

}  // namespace

const VectorKernels kVector{rms_norm, quantize_act, quantize_row, swiglu, add_scaled, add, rope, short_conv, read};

}  // namespace lfm::kernels::scalar
