// The element-wise parts of the training step, forward and backward, each in one pass over memory.
// PyTorch runs them as a dozen passes, which costs as much as all matrix products of so small a network.
// What goes into a product or comes out of one is bfloat16 (H), all else float; rows are multiples of 16 long.
//   g++ -O3 -march=native -ffast-math -shared -fPIC fused.cpp -o fused.so        (train.py does this by itself; needs
//   AVX512-BF16)
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
using I = int64_t;
using H = __bf16;
using F = __m512;

static F ld(const float* p) {
  return _mm512_loadu_ps(p);
}
static F ld(const H* p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16));
}
static void st(float* p, F v) {
  _mm512_storeu_ps(p, v);
}
static void st(H* p, F v) {
  _mm256_storeu_si256((__m256i*)p, (__m256i)_mm512_cvtneps_pbh(v));
}
static F all(float v) {
  return _mm512_set1_ps(v);
}
static float sum(F v) {
  return _mm512_reduce_add_ps(v);
}
static F exp16(F x) {  // 2^n (1 + r + r^2/2 + ...), good to 2e-7
  x = _mm512_max_ps(_mm512_min_ps(x, all(88)), all(-87)) * all(1.44269504f);
  F n = _mm512_roundscale_ps(x, 0), r = (x - n) * all(0.693147181f);
  F p = all(1) +
        r * (all(1) +
             r * (all(0.5f) + r * (all(0.166666667f) +
                                   r * (all(0.0416666667f) + r * (all(0.00833333333f) + r * all(0.00138888889f))))));
  return _mm512_scalef_ps(p, n);
}
static F sigmoid(F x) {
  return all(1) / (all(1) + exp16(-x));
}

template <class G>
static void norm_back(const float* x, const float* w, const G* gy, float* gx, float* gw, I d) {
  F s = all(0), m = all(0);
  for (I j = 0; j < d; j += 16) {
    F v = ld(x + j);
    s += v * v;
    m += ld(gy + j) * ld(w + j) * v;
  }
  float r = 1 / std::sqrt(sum(s) / d + 1e-5f), c = r * r * sum(m) / d;
  for (I j = 0; j < d; j += 16) {
    F v = ld(x + j), g = ld(gy + j);
    st(gx + j, all(r) * (g * ld(w + j) - v * all(c)));
    st(gw + j, ld(gw + j) + g * v * all(r));
  }
}

extern "C" {

// xo = x + y (y may be null), n = RMS norm of xo
void add_norm_forward(const float* x, const H* y, const float* w, float* xo, H* n, I rows, I d) {
  for (I i = 0; i < rows; i++, x += d, xo += d, n += d) {
    F s = all(0);
    for (I j = 0; j < d; j += 16) {
      F v = ld(x + j);
      if (y) v += ld(y + j);
      st(xo + j, v);
      s += v * v;
    }
    if (y) y += d;
    F r = all(1 / std::sqrt(sum(s) / d + 1e-5f));
    for (I j = 0; j < d; j += 16) st(n + j, ld(xo + j) * r * ld(w + j));
  }
}
// gxo may be null; gx is the gradient of x, gy the same for y
void add_norm_backward(const float* xo, const float* w, const float* gxo, const H* gn, float* gx, H* gy, float* gw,
                       I rows, I d) {
  for (I i = 0; i < rows; i++, xo += d, gn += d, gx += d, gy += d) {
    norm_back(xo, w, gn, gx, gw, d);
    for (I j = 0; j < d; j += 16) {
      F g = ld(gx + j);
      if (gxo) g += ld(gxo + j);
      st(gx + j, g);
      st(gy + j, g);
    }
    if (gxo) gxo += d;
  }
}

// rows (batch, time, head) of d: RMS norm, then the rotation of NeoX pairs (i, i + d/2)
void rope_forward(const H* x, const float* w, const float* cs, const float* sn, float* y, I b, I t, I h, I d) {
  I k = d / 2;
  for (I i = 0; i < b * t * h; i++, x += d, y += d) {
    const float *c = cs + i / h % t * k, *s = sn + i / h % t * k;
    F q = all(0);
    for (I j = 0; j < d; j += 16) q += ld(x + j) * ld(x + j);
    F r = all(1 / std::sqrt(sum(q) / d + 1e-5f));
    for (I j = 0; j < k; j += 16) {
      F u = ld(x + j) * r * ld(w + j), v = ld(x + j + k) * r * ld(w + j + k);
      st(y + j, u * ld(c + j) - v * ld(s + j));
      st(y + j + k, v * ld(c + j) + u * ld(s + j));
    }
  }
}
void rope_backward(const H* x, const float* w, const float* cs, const float* sn, const float* gy, H* gx, float* gw, I b,
                   I t, I h, I d) {
  I k = d / 2;
  std::vector<float> g(d), f(d), o(d);
  for (I i = 0; i < b * t * h; i++, x += d, gy += d, gx += d) {
    const float *c = cs + i / h % t * k, *s = sn + i / h % t * k;
    for (I j = 0; j < k; j += 16) {
      F a = ld(gy + j), e = ld(gy + j + k);
      st(&g[j], a * ld(c + j) + e * ld(s + j));
      st(&g[j + k], e * ld(c + j) - a * ld(s + j));
    }
    for (I j = 0; j < d; j += 16) st(&f[j], ld(x + j));
    norm_back(f.data(), w, g.data(), o.data(), gw, d);
    for (I j = 0; j < d; j += 16) st(gx + j, ld(&o[j]));
  }
}

// z (tokens of b documents, 3 d) = b, g, v: y = g * (causal 3-tap convolution of b * v), taps k (3, d)
void conv_forward(const H* z, const float* k, H* y, const I* lengths, I b, I d) {
  std::vector<H> zero(3 * d);
  for (I i = 0; i < b; i++)
    for (I j = 0; j < lengths[i]; j++, z += 3 * d, y += d) {
      const H *z1 = j > 0 ? z - 3 * d : zero.data(), *z2 = j > 1 ? z - 6 * d : zero.data();
      for (I c = 0; c < d; c += 16)
        st(y + c, ld(z + d + c) *
                      (ld(k + c) * ld(z2 + c) * ld(z2 + 2 * d + c) + ld(k + d + c) * ld(z1 + c) * ld(z1 + 2 * d + c) +
                       ld(k + 2 * d + c) * ld(z + c) * ld(z + 2 * d + c)));
    }
}
void conv_backward(const H* z, const float* k, const H* gy, H* gz, float* gk, const I* lengths, I b, I d) {
  std::vector<H> zero(3 * d);
  std::vector<float> later(2 * d);  // later: the gradient of the convolution one and two steps on
  for (I i = 0; i < b; i++) {
    std::memset(later.data(), 0, 2 * d * sizeof(float));
    float *l1 = later.data(), *l2 = l1 + d;
    for (I j = lengths[i]; j-- > 0;) {
      const H *p = z + j * 3 * d, *p1 = j > 0 ? p - 3 * d : zero.data(), *p2 = j > 1 ? p - 6 * d : zero.data(),
              *g = gy + j * d;
      H* o = gz + j * 3 * d;
      for (I c = 0; c < d; c += 16) {
        F k0 = ld(k + c), k1 = ld(k + d + c), k2 = ld(k + 2 * d + c), pb = ld(p + c), pv = ld(p + 2 * d + c),
          gg = ld(g + c);
        F bv = pb * pv, b1 = ld(p1 + c) * ld(p1 + 2 * d + c), b2 = ld(p2 + c) * ld(p2 + 2 * d + c);
        st(o + d + c, gg * (k0 * b2 + k1 * b1 + k2 * bv));
        F gc = gg * ld(p + d + c), gb = k2 * gc + k1 * ld(l1 + c) + k0 * ld(l2 + c);
        st(o + c, gb * pv);
        st(o + 2 * d + c, gb * pb);
        st(gk + c, ld(gk + c) + gc * b2);
        st(gk + d + c, ld(gk + d + c) + gc * b1);
        st(gk + 2 * d + c, ld(gk + 2 * d + c) + gc * bv);
        st(l2 + c, ld(l1 + c));
        st(l1 + c, gc);
      }
    }
    z += lengths[i] * 3 * d;
    gz += lengths[i] * 3 * d;
    gy += lengths[i] * d;
  }
}

// z (n, e, 2, w) = gate and up of every expert, p (n, e) = routing weights: y (n, e, w) = silu(gate) * up * p
void glu_forward(const H* z, const float* p, H* y, I n, I e, I w) {
  for (I i = 0; i < n * e; i++, z += 2 * w, y += w) {
    if (p[i] == 0) {
      std::memset(y, 0, w * sizeof(H));
      continue;
    }
    for (I j = 0; j < w; j += 16) {
      F g = ld(z + j);
      st(y + j, g * sigmoid(g) * ld(z + w + j) * all(p[i]));
    }
  }
}
void glu_backward(const H* z, const float* p, const H* gy, H* gz, float* gp, I n, I e, I w) {
  for (I i = 0; i < n * e; i++, z += 2 * w, gz += 2 * w, gy += w) {
    if (p[i] == 0) {
      std::memset(gz, 0, 2 * w * sizeof(H));
      gp[i] = 0;
      continue;
    }
    F total = all(0), q = all(p[i]);
    for (I j = 0; j < w; j += 16) {
      F x = ld(z + j), u = ld(z + w + j), s = sigmoid(x), a = x * s, g = ld(gy + j);
      total += g * a * u;
      st(gz + w + j, g * q * a);
      st(gz + j, g * q * u * (s + a * (all(1) - s)));
    }
    gp[i] = sum(total);
  }
}

// loss of every row; z (n, v) becomes the gradient of the weighted sum
void entropy(H* z, const I* target, const float* weight, float* loss, I n, I v) {
  std::vector<float> e(v + 16);
  for (I i = 0; i < n; i++, z += v) {
    F t = all(-1e30f), s = all(0);
    I full = v / 16 * 16;
    float rest = 0, top;
    for (I j = 0; j < full; j += 16) t = _mm512_max_ps(t, ld(z + j));
    top = _mm512_reduce_max_ps(t);
    for (I j = full; j < v; j++) top = std::fmax(top, (float)z[j]);
    float at = (float)z[target[i]];
    for (I j = 0; j < full; j += 16) {
      F x = exp16(ld(z + j) - all(top));
      st(&e[j], x);
      s += x;
    }
    for (I j = full; j < v; j++) rest += e[j] = std::exp((float)z[j] - top);
    float total = sum(s) + rest;
    loss[i] = std::log(total) + top - at;
    float f = weight[i] / total;
    e[target[i]] -= total;
    for (I j = 0; j < full; j += 16) st(z + j, ld(&e[j]) * all(f));
    for (I j = full; j < v; j++) z[j] = (H)(e[j] * f);
  }
}

// blocks of 32 as llama-quantize's Q4_0 stores them: -8..7 times a half-precision scale
void round_q4(const float* w, H* out, I n) {
  for (I i = 0; i < n; i += 32, w += 32, out += 32) {
    float top = 0;
    for (I j = 0; j < 32; j++)
      if (std::fabs(w[j]) > std::fabs(top)) top = w[j];
    float d = top / -8;
    F inv = all(d == 0 ? 0 : 1 / d), scale = all(_cvtsh_ss(_cvtss_sh(d, 0)));
    for (I j = 0; j < 32; j += 16) {
      F q = _mm512_roundscale_ps(ld(w + j) * inv + all(8.5f), 1);
      st(out + j, (_mm512_min_ps(_mm512_max_ps(q, all(0)), all(15)) - all(8)) * scale);
    }
  }
}
}
