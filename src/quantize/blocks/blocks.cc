#include "quantize/blocks/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/matmul/formats.h"
#include "quantize/blocks/halves.h"

namespace lfm::quantize {
namespace {

using format::TensorType;

// Multiples of d of either sign: the scale that is furthest from 0 becomes the least one.
bool choose_multiples(const Grid& grid, const float* x, const float* weights, std::size_t runs,
                      BlockScales& scales) noexcept {
  constexpr float kLeast = -128, kMost = 127;
  std::array<float, kMostRuns> wanted;
  float widest = 0;
  for (std::size_t run = 0; run < runs; ++run) {
    const std::size_t at = run * grid.columns;
    wanted[run] = best_scale(grid, {x + at, grid.columns}, weights != nullptr ? weights + at : nullptr).scale;
    if (std::abs(wanted[run]) > std::abs(widest)) widest = wanted[run];
  }
  scales.d = half_of(widest / kLeast);
  if (!is_finite_half(scales.d)) return false;
  const float d = float_of_half(scales.d);
  for (std::size_t run = 0; run < runs; ++run) {
    const float multiple = d != 0 ? std::clamp(std::nearbyint(wanted[run] / d), kLeast, kMost) : 0;
    scales.scales[run] = static_cast<std::int8_t>(multiple);
  }
  return true;
}

constexpr float kMostOfPairs = 63;

float multiple(float value, float of) noexcept {
  return of != 0 ? std::clamp(std::nearbyint(value / of), 0.0f, kMostOfPairs) : 0;
}

// Multiples of d and dmin for one run: of the scales around the wanted one the best, with the wanted minimum or with
// the one that suits the codes.
void choose_pair(const Grid& grid, std::span<const float> x, const float* weights, Scale wanted, BlockScales& scales,
                 std::size_t run) noexcept {
  const float d = float_of_half(scales.d), dmin = float_of_half(scales.dmin);
  const float middle = multiple(wanted.scale, d), minimum = multiple(wanted.minimum, dmin);
  float least = std::numeric_limits<float>::max();
  const auto take = [&](float error, float of_d, float of_dmin) {
    if (!(error < least)) return;
    least = error;
    scales.scales[run] = static_cast<std::int8_t>(of_d);
    scales.minima[run] = static_cast<std::uint8_t>(of_dmin);
  };
  for (float scale = std::max(0.0f, middle - 1); scale <= std::min(kMostOfPairs, middle + 1); ++scale) {
    const Rounded rounded = round_with(grid, x, weights, {scale * d, minimum * dmin});
    take(rounded.error, scale, minimum);
    const float suited = multiple(rounded.minimum, dmin);
    if (suited != minimum) take(round_with(grid, x, weights, {scale * d, suited * dmin}).error, scale, suited);
  }
}

bool choose_pairs(const Grid& grid, const float* x, const float* weights, std::size_t runs,
                  BlockScales& scales) noexcept {
  std::array<Scale, kMostRuns> wanted;
  Scale most;
  const auto weights_of = [&](std::size_t run) { return weights != nullptr ? weights + run * grid.columns : nullptr; };
  for (std::size_t run = 0; run < runs; ++run) {
    wanted[run] = best_scale(grid, {x + run * grid.columns, grid.columns}, weights_of(run));
    most.scale = std::max(most.scale, wanted[run].scale);
    most.minimum = std::max(most.minimum, wanted[run].minimum);
  }
  scales.d = half_of(most.scale / kMostOfPairs);
  scales.dmin = half_of(most.minimum / kMostOfPairs);
  if (!is_finite_half(scales.d) || !is_finite_half(scales.dmin)) return false;
  for (std::size_t run = 0; run < runs; ++run)
    choose_pair(grid, {x + run * grid.columns, grid.columns}, weights_of(run), wanted[run], scales, run);
  return true;
}

// u16 d | the codes of columns 0..15 in low nibbles, 16..31 in high ones
void put_nibbles(TensorType type, const float* codes, std::byte* out) noexcept {
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
    store(out + i, static_cast<std::uint8_t>(numbers[i] | numbers[i + kBlock / 2] << 4));
}

// u16 d, dmin | 8 scales and 8 minima of six bits in 12 bytes | of Q5_K the fifth bits | nibbles: of each 64 columns
// the first 32 are low
void put_pairs(TensorType type, const BlockScales& scales, const float* codes, std::byte* out) noexcept {
  store(out, scales.d);
  store(out + 2, scales.dmin);
  std::uint8_t small[12] = {};
  for (std::size_t run = 0; run < 8; ++run) {
    const auto s = static_cast<std::uint8_t>(scales.scales[run]), m = scales.minima[run];
    if (run < 4) {
      small[run] |= s;
      small[run + 4] |= m;
    } else {
      small[run + 4] = static_cast<std::uint8_t>((s & 15) | (m & 15) << 4);
      small[run - 4] |= static_cast<std::uint8_t>(s >> 4 << 6);
      small[run] |= static_cast<std::uint8_t>(m >> 4 << 6);
    }
  }
  std::memcpy(out + 4, small, sizeof small);
  std::uint8_t fifth[32] = {};
  std::byte* nibbles = out + (type == TensorType::kQ5_K ? 48 : 16);
  for (std::size_t run = 0; run < 8; run += 2) {
    for (std::size_t i = 0; i < 32; ++i) {
      const auto low = static_cast<std::uint8_t>(codes[32 * run + i]);
      const auto high = static_cast<std::uint8_t>(codes[32 * (run + 1) + i]);
      store(nibbles + 16 * run + i, static_cast<std::uint8_t>((low & 15) | (high & 15) << 4));
      fifth[i] |= static_cast<std::uint8_t>(low >> 4 << run | high >> 4 << (run + 1));
    }
  }
  if (type == TensorType::kQ5_K) std::memcpy(out + 16, fifth, sizeof fifth);
}

// u8 low[128] | u8 high[64] | i8 scales[16] | u16 d
void put_q6_k(const BlockScales& scales, const float* codes, std::byte* out) noexcept {
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint8_t c[128];
    for (std::size_t i = 0; i < 128; ++i) c[i] = static_cast<std::uint8_t>(codes[128 * half + i] + 32);
    for (std::size_t i = 0; i < 32; ++i) {
      store(out + 64 * half + i, static_cast<std::uint8_t>((c[i] & 15) | (c[i + 64] & 15) << 4));
      store(out + 64 * half + 32 + i, static_cast<std::uint8_t>((c[i + 32] & 15) | (c[i + 96] & 15) << 4));
      store(out + 128 + 32 * half + i,
            static_cast<std::uint8_t>(c[i] >> 4 | c[i + 32] >> 4 << 2 | c[i + 64] >> 4 << 4 | c[i + 96] >> 4 << 6));
    }
  }
  std::memcpy(out + 192, scales.scales.data(), 16);
  store(out + 208, scales.d);
}

// Weights that are all 0, or that can't be summed, say nothing.
bool say_something(const float* weights, std::size_t columns) noexcept {
  float sum = 0;
  for (std::size_t i = 0; i < columns; ++i) sum += weights[i];
  return sum > 0 && std::isfinite(sum);
}

}  // namespace

Scale BlockScales::of(std::size_t run) const noexcept {
  return {float_of_half(d) * static_cast<float>(scales[run]), float_of_half(dmin) * static_cast<float>(minima[run])};
}

bool choose_scales(TensorType type, const float* x, const float* weights, BlockScales& scales) noexcept {
  if (weights != nullptr && !say_something(weights, format::block_columns(type))) weights = nullptr;
  const Grid& grid = *grid_of(type);
  const std::size_t runs = format::block_columns(type) / grid.columns;
  if (grid.minima) return choose_pairs(grid, x, weights, runs, scales);
  if (runs > 1) return choose_multiples(grid, x, weights, runs, scales);
  scales.d = half_of(best_scale(grid, {x, grid.columns}, weights).scale);
  scales.scales[0] = 1;
  return is_finite_half(scales.d);
}

void put_block(TensorType type, const BlockScales& scales, const float* codes, std::byte* out) noexcept {
  if (type == TensorType::kQ6_K) return put_q6_k(scales, codes, out);
  if (grid_of(type)->minima) return put_pairs(type, scales, codes, out);
  store(out, scales.d);
  put_nibbles(type, codes, out + 2);
}

}  // namespace lfm::quantize
