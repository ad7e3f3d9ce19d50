#include "ops/linear.h"

#include <algorithm>
#include <array>
#include <limits>

#include "kernels/matmul/pack.h"

namespace lfm::ops {
namespace {

// Weights that run over all tokens before the next do: L2 holds them meanwhile.
constexpr std::size_t kWeightsAtOnce = std::size_t{512} << 10;

constexpr std::size_t kFloatTokens = 6;  // L1 holds their activations

constexpr std::size_t kLongestStrip = 63;  // tiles; odd, so that no power of two lies between the strips of a matrix

// linear() of one token, native. A part is cut into strips beside one another, without which it takes 2 % longer.
void multiply_one(const Context& c, const Matrix& matrix, std::initializer_list<base::Range> parts,
                  const std::byte* act, float* out) {
  const auto strip_at = [&](std::size_t tile) -> kernels::Strip {
    return {matrix.data + tile * matrix.tile_bytes(), act, out + tile * kernels::kTileRows};
  };
  kernels::Strip strips[kStrips];
  if (parts.size() > 1) {
    std::transform(parts.begin(), parts.end(), strips, [&](base::Range part) { return strip_at(part.begin); });
    return multiply(c, matrix, std::span(strips).first(parts.size()), parts.begin()->end - parts.begin()->begin);
  }
  for (base::Range left = *parts.begin(); left.begin < left.end;) {
    const std::size_t tiles = left.end - left.begin;
    const std::size_t count = std::min(tiles, kStrips);
    const std::size_t length = std::min(tiles / count, kLongestStrip);
    for (std::size_t i = 0; i < count; ++i) strips[i] = strip_at(left.begin + i * length);
    multiply(c, matrix, std::span(strips).first(count), length);
    left.begin += count * length;
  }
}

// linear() of any number of tokens, XNNPACK's. prepare_linear() made ready for every slice that for_row_blocks() gives;
// should one fail all the same, its results are NaN, which reaches the logits and so the caller.
void multiply_xnn(const Context& c, const Matrix& matrix, base::Range part, const Activations& in, float* out,
                  std::size_t out_stride) {
  const std::size_t begin = part.begin * kernels::kTileRows;
  const std::size_t end = std::min(part.end * kernels::kTileRows, matrix.rows);
  const Status done = c.xnn->run({matrix.data, matrix.rows, matrix.columns}, begin, end - begin, c.tokens, in.rows,
                                 in.params, out + begin, out_stride);
  if (done.ok()) return;
  for (std::size_t t = 0; t < c.tokens; ++t) {
    std::fill_n(out + t * out_stride + begin, end - begin, std::numeric_limits<float>::quiet_NaN());
  }
}

// linear() of several tokens, native.
void multiply_many(const Context& c, const Matrix& matrix, base::Range part, const Activations& in, float* out,
                   std::size_t out_stride) {
  const std::size_t most = most_tokens(c, matrix);
  const std::size_t step = 2 * std::max<std::size_t>(1, kWeightsAtOnce / matrix.tile_bytes() / 2);
  for (std::size_t tile = part.begin; tile < part.end; tile += step) {
    for (std::size_t first = 0; first < c.tokens; first += most) {
      const std::size_t count = std::min(most, c.tokens - first);
      multiply(c, matrix, matrix.data, {tile, std::min(tile + step, part.end)}, {in, nullptr, first, count},
               out + first * out_stride + tile * kernels::kTileRows, out_stride);
    }
  }
}

}  // namespace

std::size_t most_tokens(const Context& c, const Matrix& matrix) noexcept {
  return std::holds_alternative<kernels::BlockFormat>(matrix.format) ? c.kernels.matmul.most_tokens : kFloatTokens;
}

void read_row(const Matrix& matrix, std::size_t row, float* out) {
  const std::byte* tile = matrix.data + row / kernels::kTileRows * matrix.tile_bytes();
  if (const auto* blocks = std::get_if<kernels::BlockFormat>(&matrix.format)) {
    kernels::unpack_row(*blocks, tile, row % kernels::kTileRows, matrix.columns, out);
  } else if (const auto* floats = std::get_if<kernels::FloatFormat>(&matrix.format)) {
    kernels::unpack_row(*floats, tile, row % kernels::kTileRows, matrix.columns, out);
  }
}

void multiply(const Context& c, const Matrix& matrix, const std::byte* data, base::Range tiles, const ActRows& act,
              float* out, std::size_t out_stride) {
  const auto call = [&]<typename T>(auto kernel, const T* in, std::size_t row_size) {
    std::array<const T*, kernels::kMaxTokens> rows;
    for (std::size_t i = 0; i < act.count; ++i) {
      const std::size_t row = act.first + i;
      rows[i] = in + (act.numbers == nullptr ? row : act.numbers[row]) * row_size;
    }
    kernel(data + tiles.begin * matrix.tile_bytes(), tiles.end - tiles.begin, matrix.columns,
           std::span(rows).first(act.count), out, static_cast<std::ptrdiff_t>(out_stride));
  };
  if (const auto* blocks = std::get_if<kernels::BlockFormat>(&matrix.format)) {
    call(c.kernels.matmul.blocks[static_cast<std::size_t>(*blocks)]->tiles,
         static_cast<const std::byte*>(act.in.blocks), kernels::act_row_bytes(matrix.columns));
  } else if (const auto* floats = std::get_if<kernels::FloatFormat>(&matrix.format)) {
    call(c.kernels.matmul.floats[static_cast<std::size_t>(*floats)], static_cast<const float*>(act.in.floats),
         matrix.columns);
  }
}

void multiply(const Context& c, const Matrix& matrix, std::span<const kernels::Strip> strips, std::size_t tiles) {
  if (const auto* blocks = std::get_if<kernels::BlockFormat>(&matrix.format)) {
    c.kernels.matmul.blocks[static_cast<std::size_t>(*blocks)]->strips(strips, tiles, matrix.columns);
  } else if (const auto* floats = std::get_if<kernels::FloatFormat>(&matrix.format)) {
    for (const kernels::Strip& strip : strips) {
      const auto* row = reinterpret_cast<const float*>(strip.act);
      c.kernels.matmul.floats[static_cast<std::size_t>(*floats)](strip.weights, tiles, matrix.columns, {&row, 1},
                                                                 strip.out, 0);
    }
  }
}

std::size_t block_tiles(std::size_t tiles, unsigned threads) noexcept {
  return std::clamp<std::size_t>(tiles / (threads * 16), 1, 16);
}

void linear(const Context& c, const Matrix& matrix, std::initializer_list<base::Range> parts, const Activations& in,
            float* out, std::size_t out_stride) {
  const bool xnn = std::holds_alternative<XnnLayout>(matrix.format);
  if (!xnn && c.tokens == 1) return multiply_one(c, matrix, parts, act_row(matrix, in, 0), out);
  for (const base::Range& part : parts) (xnn ? multiply_xnn : multiply_many)(c, matrix, part, in, out, out_stride);
}

void add_mixed(const Context& c, const Matrix& matrix, Phase phase) {
  const std::size_t hidden = matrix.rows;
  const Activations& in = prepare(c, matrix.columns, matrix.form(), [&](std::size_t token, float*) {
    return c.workspace.mixed.data() + token * matrix.columns;
  });
  const std::size_t stride = hidden + kernels::kTileRows;
  float* const out = c.workspace.narrow.data();
  for_row_blocks(c, {matrix.tiles()}, [&](std::size_t, base::Range tiles) {
    linear(c, matrix, {tiles}, in, out, stride);
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t count = (tiles.end - tiles.begin) * kernels::kTileRows;
    for (std::size_t t = 0; t < c.tokens; ++t) {
      c.kernels.vector.add(out + t * stride + begin, count, c.workspace.x.data() + t * hidden + begin);
    }
  });
  c.worker.barrier();
  c.done(phase);
}

Status prepare_linear(XnnWorker& xnn, const Matrix& matrix, std::span<const unsigned> teams, std::size_t out_stride,
                      std::size_t max_tokens) {
  if (!std::holds_alternative<XnnLayout>(matrix.format)) return {};
  const auto make_ready = [&](base::Range tiles) -> Status {
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t end = std::min(tiles.end * kernels::kTileRows, matrix.rows);
    return end > begin ? xnn.prepare(matrix.columns, end - begin, out_stride, max_tokens) : Status();
  };
  const std::size_t tiles = matrix.tiles();
  for (const unsigned members : teams) {
    for (unsigned i = 0; i < members; ++i) {
      if (auto status = make_ready(base::split(tiles, i, members)); !status.ok()) return status;
    }
    const std::size_t step = block_tiles(tiles, members);
    for (std::size_t tile = 0; tile < tiles; tile += step) {
      if (auto status = make_ready({tile, std::min(tiles, tile + step)}); !status.ok()) return status;
    }
  }
  return {};
}

}  // namespace lfm::ops
