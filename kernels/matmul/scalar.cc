// The specification of the matmul kernels, in plain C++.
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/planes.h"

namespace lfm::kernels::scalar {
namespace {

// A block of a row of activations.
struct ActBlock {
  const std::byte* base;

  std::int8_t q(std::size_t i) const { return load<std::int8_t>(base + i); }
  float scale() const { return load<float>(base + 32); }
  std::int32_t neg8_sum() const { return load<std::int32_t>(base + 36); }
  std::int32_t neg8_low() const { return load<std::int32_t>(base + 40); }
  float scaled_sum() const { return load<float>(base + 44); }
};

template <BlockFormat kFormat>
void blocks(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const std::byte* const> act,
            float* out, std::ptrdiff_t out_stride) {
  constexpr BlockInfo kInfo = info(kFormat);
  constexpr BlockLayout kLayout = block_layout(kFormat);
  for (std::size_t row = 0; row < tiles * kTileRows; ++row) {
    const std::byte* tile = weights + row / kTileRows * tile_bytes(kFormat, k);
    const std::size_t r = row % kTileRows;
    float sum[kMaxTokens] = {};
    for (std::size_t column = 0; column < k; column += kBlockColumns) {
      const std::byte* group = tile + column / kLayout.group_columns * kLayout.group_bytes;
      const std::size_t b = column % kLayout.group_columns / kBlockColumns;
      std::uint8_t codes[kBlockColumns];
      read_codes<kInfo.codes>(group + header_bytes(kInfo.scales) + b * plane_bytes(kInfo.codes), r, codes);
      const RowScale s = row_scale<kInfo.scales>(group, b, r);
      for (std::size_t t = 0; t < act.size(); ++t) {
        const ActBlock block{act[t] + column / kBlockColumns * kActBlockBytes};
        const std::int32_t low_zero = kInfo.zero / 8 * block.neg8_low();
        std::int32_t dot[2] = {low_zero, kInfo.zero / 8 * block.neg8_sum() - low_zero};
        for (std::size_t i = 0; i < kBlockColumns; ++i) dot[i / 16] += codes[i] * block.q(i);
        const std::int32_t both = s.step[0] * dot[0] + s.step[1] * dot[1];
        sum[t] = __builtin_fmaf(static_cast<float>(both), s.scale * block.scale(), sum[t]);
        if constexpr (has_minima(kInfo.scales)) sum[t] = __builtin_fmaf(s.offset[1], block.scaled_sum(), sum[t]);
        if constexpr (kInfo.scales == ScaleKind::kSuperHalves) {  // the difference is exact
          const float low = block.scale() * static_cast<float>(block.neg8_low());
          sum[t] = __builtin_fmaf((s.offset[1] - s.offset[0]) * 0.125f, low, sum[t]);
        }
      }
    }
    for (std::size_t t = 0; t < act.size(); ++t) out[static_cast<std::ptrdiff_t>(t) * out_stride] = sum[t];
    ++out;
  }
}

template <BlockFormat kFormat>
void strips(std::span<const Strip> strips, std::size_t tiles, std::size_t k) {
  for (const Strip& strip : strips) blocks<kFormat>(strip.weights, tiles, k, {&strip.act, 1}, strip.out, 0);
}

template <FloatFormat kFormat>
float weight(const std::byte* tile, std::size_t i) {
  if constexpr (kFormat == FloatFormat::kF32) return load<float>(tile + 4 * i);
  if constexpr (kFormat == FloatFormat::kF16) return float_from_half(load<std::uint16_t>(tile + 2 * i));
  if constexpr (kFormat == FloatFormat::kBF16) return float_from_bfloat(load<std::uint16_t>(tile + 2 * i));
}

template <FloatFormat kFormat>
void floats(const std::byte* weights, std::size_t tiles, std::size_t k, std::span<const float* const> act, float* out,
            std::ptrdiff_t out_stride) {
  for (std::size_t t = 0; t < act.size(); ++t) {
    for (std::size_t row = 0; row < tiles * kTileRows; ++row) {
      const std::byte* tile = weights + row / kTileRows * tile_bytes(kFormat, k);
      float sum[4] = {};
      for (std::size_t c = 0; c < k; ++c) {
        const float w = weight<kFormat>(tile, c * kTileRows + row % kTileRows);
        sum[c % 4] = __builtin_fmaf(w, act[t][c], sum[c % 4]);
      }
      out[row] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
    out += out_stride;
  }
}

std::uint64_t peak(std::size_t steps) {
  std::uint32_t sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::uint32_t& sum : sums) sum = sum * 3 + 1;
  }
  std::uint64_t total = 0;
  for (const std::uint32_t sum : sums) total += sum;
  return total;
}

}  // namespace

constexpr std::size_t kMostTokens = kMaxTokens;
constexpr std::size_t kPeakOperations = 8 * 2;
#include "kernels/matmul/table.inc"

}  // namespace lfm::kernels::scalar
