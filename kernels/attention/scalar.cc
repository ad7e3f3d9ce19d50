#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/attention/attention.h"
#include "kernels/vector/exp_scalar.h"

namespace lfm::kernels::scalar {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr float kTiny = 0x1p-100f;
constexpr float kMostCode = 32767.0f;  // of a query or a weight

float from_f16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  if (magnitude < 0x400u) {  // zero or subnormal: a multiple of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  const std::uint32_t rebias = magnitude >= 0x7c00u ? (255u - 31u) << 23 : (127u - 15u) << 23;
  return std::bit_cast<float>(sign | ((magnitude << 13) + rebias));
}

// Round to nearest even, as F16C does it.
std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t half;
  if (magnitude > 0x7f800000u) {  // NaN, made quiet
    half = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  } else if (magnitude >= 0x47800000u) {  // from 2^16 on
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // from 2^-14 on: normal; the carry may end in the exponent, up to infinity
    half = (magnitude - ((127u - 15u) << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  } else {  // subnormal: the float adder rounds to a multiple of 2^-24
    half = std::bit_cast<std::uint32_t>(std::fabs(value) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  }
  return static_cast<std::uint16_t>(sign | half);
}

// exp(m - next), where m = -inf means that nothing has been added yet.
float rescale(float m, float next) {
  return m == kMinusInfinity ? 0.0f : exp(m - next);
}

struct KeysF16 {
  static constexpr KvType kType = KvType::kF16;

  static void append(const float* key, std::size_t slot, std::size_t head_dim, std::byte* block) {
    auto* const halves = reinterpret_cast<std::uint16_t*>(block);
    for (std::size_t d = 0; d < head_dim; ++d) halves[d * kKvBlock + slot] = to_f16(key[d]);
  }

  static void scores(const float* q, const std::byte* block, std::size_t count, std::size_t head_dim, float* s) {
    const auto* const halves = reinterpret_cast<const std::uint16_t*>(block);
    for (std::size_t d = 0; d < head_dim; ++d) {
      for (std::size_t j = 0; j < count; ++j) s[j] = std::fma(q[d], from_f16(halves[d * kKvBlock + j]), s[j]);
    }
  }
};

struct ValuesF16 {
  static constexpr KvType kType = KvType::kF16;

  static void append(const float* value, std::size_t slot, std::size_t head_dim, std::byte* block) {
    auto* const halves = reinterpret_cast<std::uint16_t*>(block) + slot * head_dim;
    for (std::size_t d = 0; d < head_dim; ++d) halves[d] = to_f16(value[d]);
  }

  static void add(const float* p, float, const std::byte* block, std::size_t count, std::size_t head_dim, float* o) {
    const auto* const halves = reinterpret_cast<const std::uint16_t*>(block);
    for (std::size_t d = 0; d < head_dim; ++d) {
      for (std::size_t j = 0; j < count; ++j) o[d] = std::fma(p[j], from_f16(halves[j * head_dim + d]), o[d]);
    }
  }
};

// The largest magnitude, or NaN or infinity where there is one.
float largest(const float* x, std::size_t n) {
  float amax = 0.0f;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return x[i] * x[i];
    amax = std::max(amax, std::fabs(x[i]));
  }
  return amax;
}

// The codes of 32 channels; returns their scale as f16.
std::uint16_t quantize(const float* x, std::int8_t (&codes)[kKvScaleColumns]) {
  const float amax = largest(x, kKvScaleColumns);
  const std::uint16_t scale = to_f16(amax / 127.0f);
  const bool good = scale < 0x7c00;
  for (std::size_t i = 0; i < kKvScaleColumns; ++i) {
    codes[i] =
        good && amax >= kTiny ? static_cast<std::int8_t>(std::nearbyint(x[i] * (127.0f / amax))) : std::int8_t{0};
  }
  return good ? scale : 0x7e00;
}

const std::uint16_t* scales_of(const std::byte* part, std::size_t head_dim) {
  return reinterpret_cast<const std::uint16_t*>(part + kv_codes_bytes(KvType::kQ8_0, head_dim));
}

struct KeysQ8 {
  static constexpr KvType kType = KvType::kQ8_0;

  static std::size_t at(std::size_t j, std::size_t d) { return (d / 2 * kKvBlock + j) * 2 + d % 2; }

  static void append(const float* key, std::size_t slot, std::size_t head_dim, std::byte* block) {
    auto* const k = reinterpret_cast<std::int8_t*>(block);
    auto* const scales = reinterpret_cast<std::uint16_t*>(block + kv_codes_bytes(kType, head_dim));
    for (std::size_t b = 0; b < head_dim / kKvScaleColumns; ++b) {
      std::int8_t codes[kKvScaleColumns];
      scales[b * kKvBlock + slot] = quantize(key + b * kKvScaleColumns, codes);
      for (std::size_t i = 0; i < kKvScaleColumns; ++i) k[at(slot, b * kKvScaleColumns + i)] = codes[i];
    }
  }

  static void scores(const float* q, const std::byte* block, std::size_t count, std::size_t head_dim, float* s) {
    const float amax = largest(q, head_dim);
    const bool finite = std::isfinite(amax), zero = !finite || amax < kTiny;
    const float scale = !finite ? std::numeric_limits<float>::quiet_NaN() : zero ? 0.0f : amax / kMostCode;
    std::int32_t codes[kMaxHeadDim] = {};
    for (std::size_t d = 0; d < head_dim && !zero; ++d) {
      codes[d] = static_cast<std::int32_t>(std::nearbyint(q[d] * (kMostCode / amax)));
    }
    const auto* const k = reinterpret_cast<const std::int8_t*>(block);
    const std::uint16_t* const scales = scales_of(block, head_dim);
    for (std::size_t j = 0; j < count; ++j) {
      for (std::size_t b = 0; b < head_dim / kKvScaleColumns; ++b) {
        std::int32_t sum = 0;
        for (std::size_t d = b * kKvScaleColumns; d < (b + 1) * kKvScaleColumns; ++d) sum += codes[d] * k[at(j, d)];
        s[j] = std::fma(static_cast<float>(sum), from_f16(scales[b * kKvBlock + j]), s[j]);
      }
      s[j] *= scale;
    }
  }
};

struct ValuesQ8 {
  static constexpr KvType kType = KvType::kQ8_0;

  static std::size_t at(std::size_t j, std::size_t d, std::size_t head_dim) {
    return (j / 2 * head_dim + d) * 2 + j % 2;
  }

  static void append(const float* value, std::size_t slot, std::size_t head_dim, std::byte* block) {
    auto* const v = reinterpret_cast<std::int8_t*>(block);
    auto* const scales = reinterpret_cast<std::uint16_t*>(block + kv_codes_bytes(kType, head_dim));
    for (std::size_t b = 0; b < head_dim / kKvScaleColumns; ++b) {
      std::int8_t codes[kKvScaleColumns];
      scales[b * kKvBlock + slot] = quantize(value + b * kKvScaleColumns, codes);
      for (std::size_t i = 0; i < kKvScaleColumns; ++i) v[at(slot, b * kKvScaleColumns + i, head_dim)] = codes[i];
    }
  }

  static void add(const float* p, float p_top, const std::byte* block, std::size_t count, std::size_t head_dim,
                  float* o) {
    const auto* const v = reinterpret_cast<const std::int8_t*>(block);
    for (std::size_t b = 0; b < head_dim / kKvScaleColumns; ++b) {
      const std::uint16_t* const halves = scales_of(block, head_dim) + b * kKvBlock;
      float scales[kStep] = {};
      std::int32_t most = 0;  // as integers numbers are ordered as floats, with NaN at the top
      for (std::size_t j = 0; j < count; ++j) {
        scales[j] = from_f16(halves[j]);
        most = std::max(most, std::bit_cast<std::int32_t>(scales[j]));
      }
      const float top = p_top * std::bit_cast<float>(most);
      const float inverse = top >= kTiny ? kMostCode / top : 0.0f;
      std::int32_t codes[kStep];
      for (std::size_t j = 0; j < count; ++j) {
        const float weight = p[j] * scales[j] * inverse;
        codes[j] = weight > 0.0f ? static_cast<std::int32_t>(std::nearbyint(weight)) : 0;
      }
      for (std::size_t d = b * kKvScaleColumns; d < (b + 1) * kKvScaleColumns; ++d) {
        std::int32_t sum = 0;
        for (std::size_t j = 0; j < count; ++j) sum += codes[j] * v[at(j, d, head_dim)];
        o[d] = std::fma(static_cast<float>(sum), top * (1.0f / kMostCode), o[d]);
      }
    }
  }
};

template <class Keys, class Values>
void append(const float* key, const float* value, std::size_t slot, std::size_t head_dim, std::byte* block) {
  Keys::append(key, slot, head_dim, block);
  Values::append(value, slot, head_dim, block + key_block_bytes({Keys::kType, Values::kType}, head_dim));
}

// One step of one query: the first `count` positions of a block.
template <class Keys, class Values>
void step(const float* q, const std::byte* block, std::size_t count, std::size_t head_dim, float* m, float (&lanes)[16],
          float* o) {
  float p[kStep] = {};
  Keys::scores(q, block, count, head_dim, p);

  float here = kMinusInfinity;
  for (std::size_t j = 0; j < count; ++j) here = p[j] > here ? p[j] : here;
  const float next = (here > *m ? here : *m) + 0.0f;
  const float a = rescale(*m, next), top = here == kMinusInfinity ? 1.0f : exp(here - next);
  *m = next;

  for (float& lane : lanes) lane *= a;
  for (std::size_t j = 0; j < count; ++j) {
    p[j] = exp(p[j] - next);
    lanes[j % 16] += p[j];
  }

  for (std::size_t d = 0; d < head_dim; ++d) o[d] *= a;
  const std::size_t to_values = key_block_bytes({Keys::kType, Values::kType}, head_dim);
  Values::add(p, top, block + to_values, count, head_dim, o);
}

template <class Keys, class Values>
void partial(const float* q, std::ptrdiff_t q_stride, const std::uint32_t* limits, std::size_t queries,
             std::size_t kv_heads, const std::byte* const* pages, std::size_t offset, std::size_t begin,
             std::size_t head_dim, float* m, float* l, float* o) {
  const std::size_t block_bytes = kv_block_bytes({Keys::kType, Values::kType}, head_dim);
  for (std::size_t i = 0; i < kv_heads * queries; ++i, q += q_stride, o += head_dim) {
    const std::size_t to_head = offset + i / queries * block_bytes;
    const std::size_t end = std::min<std::size_t>(begin + kSplit, limits[i]);
    float lanes[16] = {};
    m[i] = kMinusInfinity;
    std::fill_n(o, head_dim, 0.0f);
    for (std::size_t at = begin; at < end; at += kStep) {
      const std::byte* const block = pages[at / kKvBlock] + to_head;
      step<Keys, Values>(q, block, std::min(kStep, end - at), head_dim, &m[i], lanes, o);
    }
    l[i] = fold(lanes);
  }
}

void merge(const float* m, const float* l, std::ptrdiff_t ml_stride, const float* o, std::ptrdiff_t o_stride,
           std::size_t splits, std::size_t head_dim, float* out) {
  float m_all = kMinusInfinity, l_all = 0.0f;
  float o_all[kMaxHeadDim] = {};
  for (std::size_t split = 0; split < splits; ++split, m += ml_stride, l += ml_stride, o += o_stride) {
    const float next = *m > m_all ? *m : m_all;
    const float a = rescale(m_all, next), b = rescale(*m, next);
    m_all = next;
    l_all = std::fma(*l, b, l_all * a);
    for (std::size_t d = 0; d < head_dim; ++d) o_all[d] = std::fma(o[d], b, o_all[d] * a);
  }
  for (std::size_t d = 0; d < head_dim; ++d) out[d] = o_all[d] / l_all;
}

template <class Keys, class Values>
constexpr KvKernels kKv{append<Keys, Values>, partial<Keys, Values>};

}  // namespace

const AttentionKernels kAttention{
    {{kKv<KeysF16, ValuesF16>, kKv<KeysF16, ValuesQ8>}, {kKv<KeysQ8, ValuesF16>, kKv<KeysQ8, ValuesQ8>}}, merge};

}  // namespace lfm::kernels::scalar
