#include "quantize/blocks/encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/matmul/pack.h"
#include "quantize/blocks/blocks.h"
#include "quantize/blocks/halves.h"

namespace lfm::quantize {
namespace {

using format::TensorType;

// As ggml's quantize_row_q8_0_ref: codes by the scale before it is rounded.
bool encode_q8_0(const float* x, std::byte* out) noexcept {
  constexpr float kMost = 127;
  float largest = 0;
  for (std::size_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::abs(x[i]));
  const float scale = largest / kMost;
  const float inverse = scale >= std::numeric_limits<float>::min() ? 1 / scale : 0;
  const std::uint16_t half = half_of(scale);
  if (!is_finite_half(half)) return false;
  store(out, half);
  for (std::size_t i = 0; i < kBlock; ++i) store(out + 2 + i, static_cast<std::int8_t>(std::round(x[i] * inverse)));
  return true;
}

bool encode_block(TensorType type, const float* x, const float* weights, std::byte* out) noexcept {
  constexpr std::size_t kMostColumns = 256;
  const Grid& grid = *grid_of(type);
  BlockScales scales;
  if (!choose_scales(type, x, weights, scales)) return false;
  float codes[kMostColumns];
  for (std::size_t first = 0; first < format::block_columns(type); first += grid.columns) {
    const Scale s = scales.of(first / grid.columns);
    const float inverse = s.scale != 0 ? 1 / s.scale : 0;
    for (std::size_t i = first; i < first + grid.columns; ++i) codes[i] = nearest(grid, (x[i] + s.minimum) * inverse);
  }
  put_block(type, scales, codes, out);
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
    case WeightType::kQ5_K:
      return TensorType::kQ5_K;
    case WeightType::kQ4_K:
      return TensorType::kQ4_K;
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
    case WeightType::kQ5_K:
      return 16;  // as Q5_K_S
    case WeightType::kQ4_K:
      return 14;  // as Q4_K_S
    case WeightType::kQ4_0:
      return 2;
    case WeightType::kIQ4_NL:
      return 25;
  }
  return 0;
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
    if (!(type == TensorType::kQ8_0 ? encode_q8_0(x, out) : encode_block(type, x, w, out)))
      return static_cast<std::ptrdiff_t>(i);
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
