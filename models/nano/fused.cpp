// The element-wise parts of the training step, forward and backward, each in one pass over memory.
// PyTorch runs them as a dozen passes, which costs as much as all matrix products of so small a network.
//   g++ -O3 -march=native -ffast-math -shared -fPIC fused.cpp -o fused.so        (train.py does this by itself)
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
using I = int64_t;
extern "C" {

void rms_forward(const float* x, const float* w, float* y, I n, I d) {
  for (I i = 0; i < n; i++, x += d, y += d) {
    float s = 0; for (I j = 0; j < d; j++) s += x[j] * x[j];
    float r = 1 / std::sqrt(s / d + 1e-5f);
    for (I j = 0; j < d; j++) y[j] = x[j] * r * w[j];
  }
}
void rms_backward(const float* x, const float* w, const float* gy, float* gx, float* gw, I n, I d) {
  for (I i = 0; i < n; i++, x += d, gy += d, gx += d) {
    float s = 0, m = 0; for (I j = 0; j < d; j++) { s += x[j] * x[j]; m += gy[j] * w[j] * x[j]; }
    float r = 1 / std::sqrt(s / d + 1e-5f), c = r * r * m / d;
    for (I j = 0; j < d; j++) { gx[j] = r * (gy[j] * w[j] - x[j] * c); gw[j] += gy[j] * x[j] * r; }
  }
}

// rows (batch, time, head) of d: RMS norm, then the rotation of NeoX pairs (i, i + d/2)
void rope_forward(const float* x, const float* w, const float* cs, const float* sn, float* y, I b, I t, I h, I d) {
  I k = d / 2;
  for (I i = 0; i < b * t * h; i++, x += d, y += d) {
    const float *c = cs + i / h % t * k, *s = sn + i / h % t * k;
    float q = 0; for (I j = 0; j < d; j++) q += x[j] * x[j];
    float r = 1 / std::sqrt(q / d + 1e-5f);
    for (I j = 0; j < k; j++) { float u = x[j] * r * w[j], v = x[j + k] * r * w[j + k]; y[j] = u * c[j] - v * s[j]; y[j + k] = v * c[j] + u * s[j]; }
  }
}
void rope_backward(const float* x, const float* w, const float* cs, const float* sn, const float* gy, float* gx, float* gw, I b, I t, I h, I d) {
  I k = d / 2; std::vector<float> g(d);
  for (I i = 0; i < b * t * h; i++, x += d, gy += d, gx += d) {
    const float *c = cs + i / h % t * k, *s = sn + i / h % t * k;
    for (I j = 0; j < k; j++) { g[j] = gy[j] * c[j] + gy[j + k] * s[j]; g[j + k] = gy[j + k] * c[j] - gy[j] * s[j]; }
    rms_backward(x, w, g.data(), gx, gw, 1, d);
  }
}

// z (batch, time, 3 d) = b, g, v: y = g * (causal 3-tap convolution of b * v), taps k (d, 3) turned to (3, d)
void conv_forward(const float* z, const float* k, float* y, I b, I t, I d) {
  std::vector<float> zero(3 * d);
  for (I i = 0; i < b; i++) for (I j = 0; j < t; j++, z += 3 * d, y += d) {
    const float *z1 = j > 0 ? z - 3 * d : zero.data(), *z2 = j > 1 ? z - 6 * d : zero.data();
    for (I c = 0; c < d; c++) y[c] = z[d + c] * (k[c] * z2[c] * z2[2 * d + c] + k[d + c] * z1[c] * z1[2 * d + c] + k[2 * d + c] * z[c] * z[2 * d + c]);
  }
}
void conv_backward(const float* z, const float* k, const float* gy, float* gz, float* gk, I b, I t, I d) {
  std::vector<float> zero(3 * d), later(2 * d);      // later: the gradient of the convolution one and two steps on
  for (I i = 0; i < b; i++) {
    std::fill(later.begin(), later.end(), 0.f); float *l1 = later.data(), *l2 = l1 + d;
    for (I j = t; j-- > 0;) {
      const float *p = z + (i * t + j) * 3 * d, *p1 = j > 0 ? p - 3 * d : zero.data(), *p2 = j > 1 ? p - 6 * d : zero.data(), *g = gy + (i * t + j) * d;
      float* o = gz + (i * t + j) * 3 * d;
      for (I c = 0; c < d; c++) {
        float bv = p[c] * p[2 * d + c], b1 = p1[c] * p1[2 * d + c], b2 = p2[c] * p2[2 * d + c];
        o[d + c] = g[c] * (k[c] * b2 + k[d + c] * b1 + k[2 * d + c] * bv);
        float gc = g[c] * p[d + c], gb = k[2 * d + c] * gc + k[d + c] * l1[c] + k[c] * l2[c];
        o[c] = gb * p[2 * d + c]; o[2 * d + c] = gb * p[c];
        gk[c] += gc * b2; gk[d + c] += gc * b1; gk[2 * d + c] += gc * bv;
        l2[c] = l1[c]; l1[c] = gc;
      }
    }
  }
}

// z (n, e, 2, w) = gate and up of every expert, p (n, e) = routing weights: y (n, e, w) = silu(gate) * up * p
void glu_forward(const float* z, const float* p, float* y, I n, I e, I w) {
  for (I i = 0; i < n * e; i++, z += 2 * w, y += w) {
    if (p[i] == 0) { std::memset(y, 0, w * sizeof(float)); continue; }
    for (I j = 0; j < w; j++) y[j] = z[j] / (1 + std::exp(-z[j])) * z[w + j] * p[i];
  }
}
void glu_backward(const float* z, const float* p, const float* gy, float* gz, float* gp, I n, I e, I w) {
  for (I i = 0; i < n * e; i++, z += 2 * w, gz += 2 * w, gy += w) {
    if (p[i] == 0) { std::memset(gz, 0, 2 * w * sizeof(float)); gp[i] = 0; continue; }
    float sum = 0;
    for (I j = 0; j < w; j++) {
      float s = 1 / (1 + std::exp(-z[j])), a = z[j] * s, g = gy[j];
      sum += g * a * z[w + j];
      gz[w + j] = g * p[i] * a; gz[j] = g * p[i] * z[w + j] * (s + a * (1 - s));
    }
    gp[i] = sum;
  }
}

// loss of every row; z (n, v) becomes the gradient of the weighted sum
void entropy(float* z, const I* target, const float* weight, float* loss, I n, I v) {
  for (I i = 0; i < n; i++, z += v) {
    if (weight[i] == 0) { std::memset(z, 0, v * sizeof(float)); loss[i] = 0; continue; }
    float top = z[0], sum = 0, at = z[target[i]];
    for (I j = 0; j < v; j++) top = std::max(top, z[j]);
    for (I j = 0; j < v; j++) { z[j] = std::exp(z[j] - top); sum += z[j]; }
    loss[i] = std::log(sum) + top - at;
    float s = weight[i] / sum;
    for (I j = 0; j < v; j++) z[j] *= s;
    z[target[i]] -= weight[i];
  }
}
}
