#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/attention/attention.h"
#include "kernels/vector/exp_scalar.h"

namespace lfm::kernels::scalar {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t kMaxHeadDim = 256;

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

// Element d of the key in a slot of a block, d of the value.
std::size_t key_index(std::size_t slot, std::size_t d) {
  return d * kKvBlock + slot;
}
std::size_t value_index(std::size_t slot, std::size_t d, std::size_t head_dim) {
  return (kKvBlock + slot) * head_dim + d;
}

// exp(m - next), where m = -inf means that nothing has been added yet.
float rescale(float m, float next) {
  return m == kMinusInfinity ? 0.0f : exp(m - next);
}

void append(const float* key, const float* value, std::size_t slot, std::size_t head_dim, std::byte* block) {
  auto* halves = reinterpret_cast<std::uint16_t*>(block);
  for (std::size_t d = 0; d < head_dim; ++d) {
    halves[key_index(slot, d)] = to_f16(key[d]);
    halves[value_index(slot, d, head_dim)] = to_f16(value[d]);
  }
}

// One step of one query: the first `count` positions of a block.
void step(const float* q, const std::byte* block, std::size_t count, std::size_t head_dim, float* m,
          float (&lanes)[16], float* o) {
  const auto* halves = reinterpret_cast<const std::uint16_t*>(block);
  float p[kStep] = {};
  for (std::size_t d = 0; d < head_dim; ++d) {
    for (std::size_t j = 0; j < count; ++j) p[j] = std::fma(q[d], from_f16(halves[key_index(j, d)]), p[j]);
  }

  float next = *m;
  for (std::size_t j = 0; j < count; ++j) next = p[j] > next ? p[j] : next;
  next += 0.0f;
  const float a = rescale(*m, next);
  *m = next;

  for (float& lane : lanes) lane *= a;
  for (std::size_t j = 0; j < count; ++j) {
    p[j] = exp(p[j] - next);
    lanes[j % 16] += p[j];
  }

  for (std::size_t d = 0; d < head_dim; ++d) {
    o[d] *= a;
    for (std::size_t j = 0; j < count; ++j) {
      o[d] = std::fma(p[j], from_f16(halves[value_index(j, d, head_dim)]), o[d]);
    }
  }
}

void partial(const float* q, std::ptrdiff_t q_stride, const std::uint32_t* limits, std::size_t queries,
             const std::byte* const* pages, std::size_t offset, std::size_t begin, std::size_t head_dim, float* m,
             float* l, float* o) {
  for (std::size_t i = 0; i < queries; ++i, q += q_stride, o += head_dim) {
    const std::size_t end = std::min<std::size_t>(begin + kSplit, limits[i]);
    float lanes[16] = {};
    m[i] = kMinusInfinity;
    std::fill_n(o, head_dim, 0.0f);
    for (std::size_t at = begin; at < end; at += kStep) {
      step(q, pages[at / kKvBlock] + offset, std::min(kStep, end - at), head_dim, &m[i], lanes, o);
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

}  // namespace

const AttentionKernels kAttention{{{append, partial}}, merge};

}  // namespace lfm::kernels::scalar
