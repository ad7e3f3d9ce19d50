#include "quantize/float_layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/exp.h"
#include "kernels/math/math.h"

namespace lfm::quantize {
namespace {

constexpr std::size_t kActBlock = 32;

// In place: row t over its first t + 1 values.
void causal_softmax(float* scores, std::size_t tokens, float scale) noexcept {
  for (std::size_t t = 0; t < tokens; ++t) {
    float* row = scores + t * tokens;
    const float most = *std::max_element(row, row + t + 1);
    for (std::size_t i = 0; i <= t; ++i) row[i] = (row[i] - most) * scale;
    base::exp_all(row, t + 1);
    const float sum = std::accumulate(row, row + t + 1, 0.0f);
    for (std::size_t i = 0; i <= t; ++i) row[i] /= sum;
    std::fill(row + t + 1, row + tokens, 0.0f);
  }
}

// Columns [first, first + width) of rows that are `stride` wide.
void take_columns(const float* x, std::size_t rows, std::size_t stride, std::size_t first, std::size_t width,
                  float* out) noexcept {
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(x + r * stride + first, width, out + r * width);
}

}  // namespace

void round_to_int8(float* x, std::size_t n, std::size_t k) noexcept {
  constexpr float kMost = 127, kLeast = 0x1p-100f;
  for (std::size_t i = 0; i < n * k; i += kActBlock) {
    float largest = 0;
    for (std::size_t j = 0; j < kActBlock; ++j) largest = std::max(largest, std::abs(x[i + j]));
    const float scale = largest / kMost, inverse = largest < kLeast ? 0 : kMost / largest;
    for (std::size_t j = 0; j < kActBlock; ++j) x[i + j] = std::nearbyint(x[i + j] * inverse) * scale;
  }
}

void norm_rows(const Arithmetic& a, const float* x, std::size_t n, std::span<const float> gamma, float eps,
               float* out) {
  for (std::size_t r = 0; r < n; ++r)
    a.vector.rms_norm(x + r * gamma.size(), gamma.data(), gamma.size(), eps, out + r * gamma.size());
}

void convolve(const Arithmetic& a, const ConvWeights& w, const model::Config& config, const float* in,
              std::size_t tokens, float* out) {
  const std::size_t hidden = config.hidden, taps = config.conv_taps;
  std::vector<float> wide(tokens * 3 * hidden);
  a.dense.rows(in, tokens, w.in_proj.data(), 3 * hidden, hidden, wide.data());
  for (std::size_t t = 0; t < tokens; ++t) {
    float* b = wide.data() + t * 3 * hidden;  // then B * x
    const float* c = b + hidden;
    const float* x = c + hidden;
    for (std::size_t i = 0; i < hidden; ++i) {
      b[i] *= x[i];
      float sum = 0;
      for (std::size_t tap = 0; tap < taps; ++tap) {
        const std::size_t back = taps - 1 - tap;
        if (back <= t)
          sum += w.taps[i * taps + tap] *
                 b[static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(back * 3 * hidden)];
      }
      out[t * hidden + i] = c[i] * sum;
    }
  }
}

void attend(const Arithmetic& a, const AttentionWeights& w, const model::Config& config, std::size_t kv_heads,
            const float* in, std::size_t tokens, float* out) {
  const std::size_t dim = config.head_dim, heads = config.heads, group = heads / kv_heads;
  std::vector<float> queries(tokens * heads * dim), keys(tokens * kv_heads * dim), values(keys.size());
  a.dense.rows(in, tokens, w.q.data(), heads * dim, config.hidden, queries.data());
  a.dense.rows(in, tokens, w.k.data(), kv_heads * dim, config.hidden, keys.data());
  a.dense.rows(in, tokens, w.v.data(), kv_heads * dim, config.hidden, values.data());
  std::vector<float> cos(dim / 2), sin(dim / 2);
  for (std::size_t t = 0; t < tokens; ++t) {
    kernels::rotary_angles(config.rope_base, t, dim / 2, cos.data(), sin.data());
    const auto turn = [&](float* head, std::span<const float> norm) {
      a.vector.rms_norm(head, norm.data(), dim, config.norm_eps, head);
      a.vector.rope(head, cos.data(), sin.data(), dim);
    };
    for (std::size_t h = 0; h < heads; ++h) turn(queries.data() + (t * heads + h) * dim, w.q_norm);
    for (std::size_t h = 0; h < kv_heads; ++h) turn(keys.data() + (t * kv_heads + h) * dim, w.k_norm);
  }
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  std::vector<float> q(tokens * dim), k(q.size()), v(q.size()), scores(tokens * tokens), mixed(q.size());
  for (std::size_t h = 0; h < heads; ++h) {
    take_columns(queries.data(), tokens, heads * dim, h * dim, dim, q.data());
    take_columns(keys.data(), tokens, kv_heads * dim, h / group * dim, dim, k.data());
    take_columns(values.data(), tokens, kv_heads * dim, h / group * dim, dim, v.data());
    a.dense.rows(q.data(), tokens, k.data(), tokens, dim, scores.data());
    causal_softmax(scores.data(), tokens, scale);
    a.dense.product(scores.data(), tokens, v.data(), dim, tokens, mixed.data());
    for (std::size_t t = 0; t < tokens; ++t) std::copy_n(mixed.data() + t * dim, dim, out + (t * heads + h) * dim);
  }
}

void gated(const Arithmetic& a, std::span<const float> gate, std::span<const float> up, std::size_t width,
           const float* in, std::size_t n, std::size_t hidden, float* out) {
  std::vector<float> ups(n * width);
  a.dense.rows(in, n, gate.data(), width, hidden, out);
  a.dense.rows(in, n, up.data(), width, hidden, ups.data());
  for (std::size_t r = 0; r < n; ++r) a.vector.swiglu(out + r * width, ups.data() + r * width, width, out + r * width);
}

}  // namespace lfm::quantize
