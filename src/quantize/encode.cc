#include "quantize/encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/matmul/pack.h"
#include "quantize/grid.h"
#include "quantize/halves.h"

namespace lfm::quantize {
namespace {

using format::TensorType;

template <typename T>
void store(std::byte* out, T value) noexcept {
  std::memcpy(out, &value, sizeof value);
}

// As ggml's quantize_row_q8_0_ref: codes by the scale before it is rounded.
bool encode_q8_0(const float* x, std::byte* out) noexcept {
  constexpr float kMost = 127;
  float largest = 0;
  for (std::size_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::abs(x[i]));
  const float scale = largest / kMost;
  const float inverse = scale >= std::numeric_limits<float>::min() ? 1 / scale : 0;
  const std::uint16_t half = half_of(scale);
  if ((half & 0x7c00u) == 0x7c00u) return false;
  store(out, half);
  for (std::size_t i = 0; i < kBlock; ++i) store(out + 2 + i, static_cast<std::int8_t>(std::round(x[i] * inverse)));
  return true;
}

bool encode_grid(TensorType type, const Grid& grid, const float* x, const float* weights, std::byte* out) noexcept {
  const std::uint16_t half = half_of(best_scale(grid, {x, kBlock}, weights));
  if ((half & 0x7c00u) == 0x7c00u) return false;
  const float scale = float_of_half(half);
  const float inverse = scale != 0 ? 1 / scale : 0;
  float codes[kBlock];
  for (std::size_t i = 0; i < kBlock; ++i) codes[i] = nearest(grid, x[i] * inverse);
  put_block(type, half, codes, out);
  return true;
}

// 16 sub-blocks of 16: codes of six bits, a scale of eight bits each, and one of all.
//   u8 low[128] | u8 high[64] | i8 scales[16] | f16 d
bool encode_q6_k(const float* x, const float* weights, std::byte* out) noexcept {
  constexpr std::size_t kColumns = 256, kSub = 16, kSubs = 16;
  constexpr float kLeastScale = -128, kMostScale = 127;
  float scales[kSubs], widest = 0;
  for (std::size_t s = 0; s < kSubs; ++s) {
    scales[s] = best_scale(kQ6_KGrid, {x + s * kSub, kSub}, weights != nullptr ? weights + s * kSub : nullptr);
    if (std::abs(scales[s]) > std::abs(widest)) widest = scales[s];
  }
  const std::uint16_t half = half_of(widest / kLeastScale);
  if ((half & 0x7c00u) == 0x7c00u) return false;
  const float d = float_of_half(half);
  std::uint8_t codes[kColumns];
  for (std::size_t s = 0; s < kSubs; ++s) {
    const float scale = d != 0 ? std::clamp(std::nearbyint(scales[s] / d), kLeastScale, kMostScale) : 0;
    const float inverse = scale * d != 0 ? 1 / (scale * d) : 0;
    for (std::size_t i = s * kSub; i < (s + 1) * kSub; ++i)
      codes[i] = static_cast<std::uint8_t>(nearest(kQ6_KGrid, x[i] * inverse) + 32);
    store(out + 192 + s, static_cast<std::int8_t>(scale));
  }
  for (std::size_t half_block = 0; half_block < 2; ++half_block) {
    const std::uint8_t* c = codes + 128 * half_block;
    for (std::size_t i = 0; i < 32; ++i) {
      store(out + 64 * half_block + i, static_cast<std::uint8_t>((c[i] & 15) | (c[i + 64] & 15) << 4));
      store(out + 64 * half_block + 32 + i, static_cast<std::uint8_t>((c[i + 32] & 15) | (c[i + 96] & 15) << 4));
      store(out + 128 + 32 * half_block + i,
            static_cast<std::uint8_t>(c[i] >> 4 | c[i + 32] >> 4 << 2 | c[i + 64] >> 4 << 4 | c[i + 96] >> 4 << 6));
    }
  }
  store(out + 208, half);
  return true;
}

std::ptrdiff_t encode_floats(TensorType type, std::span<const float> values, std::byte* out) noexcept {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (type == TensorType::kF32) {
      store(out + 4 * i, values[i]);
      continue;
    }
    const bool half = type == TensorType::kF16;
    const std::uint16_t bits = half ? half_of(values[i]) : bfloat_of(values[i]);
    const std::uint32_t infinity = half ? 0x7c00u : 0x7f80u;
    if ((bits & infinity) == infinity) return static_cast<std::ptrdiff_t>(i);
    store(out + 2 * i, bits);
  }
  return -1;
}

}  // namespace

TensorType tensor_type(WeightType type) noexcept {
  switch (type) {
    case WeightType::kF32:
      return TensorType::kF32;
    case WeightType::kF16:
      return TensorType::kF16;
    case WeightType::kBF16:
      return TensorType::kBF16;
    case WeightType::kQ8_0:
      return TensorType::kQ8_0;
    case WeightType::kQ6_K:
      return TensorType::kQ6_K;
    case WeightType::kQ4_0:
      return TensorType::kQ4_0;
    case WeightType::kIQ4_NL:
      return TensorType::kIQ4_NL;
  }
  return TensorType::kF32;
}

std::uint32_t file_type(WeightType type) noexcept {
  switch (type) {
    case WeightType::kF32:
      return 0;
    case WeightType::kF16:
      return 1;
    case WeightType::kBF16:
      return 32;
    case WeightType::kQ8_0:
      return 7;
    case WeightType::kQ6_K:
      return 18;
    case WeightType::kQ4_0:
      return 2;
    case WeightType::kIQ4_NL:
      return 25;
  }
  return 0;
}

void put_block(TensorType type, std::uint16_t scale, const float* codes, std::byte* out) noexcept {
  store(out, scale);
  std::uint8_t numbers[kBlock];
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (type == TensorType::kQ4_0) {
      numbers[i] = static_cast<std::uint8_t>(codes[i] + 8);
    } else {
      const auto* const begin = kernels::kNonlinearCodes;
      numbers[i] = static_cast<std::uint8_t>(
          std::lower_bound(begin, begin + 16, codes[i],
                           [](std::int8_t code, float value) { return static_cast<float>(code) < value; }) -
          begin);
    }
  }
  for (std::size_t i = 0; i < kBlock / 2; ++i)
    store(out + 2 + i, static_cast<std::uint8_t>(numbers[i] | numbers[i + kBlock / 2] << 4));
}

std::ptrdiff_t encode(TensorType type, std::span<const float> values, const float* weights, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return static_cast<std::ptrdiff_t>(i);
  }
  const std::size_t columns = format::block_columns(type);
  if (columns == 1) return encode_floats(type, values, out);
  for (std::size_t i = 0; i < values.size(); i += columns, out += format::block_bytes(type)) {
    const float* w = weights != nullptr ? weights + i : nullptr;
    const float* x = values.data() + i;
    const bool held = type == TensorType::kQ8_0   ? encode_q8_0(x, out)
                      : type == TensorType::kQ6_K ? encode_q6_k(x, w, out)
                      : type == TensorType::kQ4_0 ? encode_grid(type, kQ4_0Grid, x, w, out)
                                                  : encode_grid(type, kIQ4_NLGrid, x, w, out);
    if (!held) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

std::ptrdiff_t decode(TensorType type, const std::byte* bytes, std::size_t rows, std::size_t columns, float* out) {
  if (format::block_columns(type) == 1) {
    for (std::size_t i = 0; i < rows * columns; ++i) {
      std::uint16_t half;
      if (type == TensorType::kF32) {
        std::memcpy(out + i, bytes + 4 * i, sizeof(float));
      } else {
        std::memcpy(&half, bytes + 2 * i, sizeof half);
        out[i] = type == TensorType::kF16 ? float_of_half(half) : float_of_bfloat(half);
      }
      if (!std::isfinite(out[i])) return static_cast<std::ptrdiff_t>(i);
    }
    return -1;
  }
  const kernels::BlockFormat format = kernels::block_format(static_cast<std::uint32_t>(type)).value();
  const std::size_t row_bytes = kernels::gguf_row_bytes(format, columns);
  const std::size_t blocks = columns / format::block_columns(type);
  std::vector<std::byte> tile(kernels::tile_bytes(format, columns));
  for (std::size_t row = 0; row < rows; row += kernels::kTileRows) {
    const std::size_t count = std::min<std::size_t>(kernels::kTileRows, rows - row);
    const std::ptrdiff_t bad = kernels::pack_tile(format, bytes + row * row_bytes, count, columns, tile.data());
    if (bad >= 0) return bad + static_cast<std::ptrdiff_t>(row * blocks);
    for (std::size_t r = 0; r < count; ++r)
      kernels::unpack_row(format, tile.data(), r, columns, out + (row + r) * columns);
  }
  return -1;
}

}  // namespace lfm::quantize
