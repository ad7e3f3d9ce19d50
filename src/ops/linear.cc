#include "ops/linear.h"

#include <algorithm>

namespace lfm::ops {
namespace {

// Weights that run over all tokens before the next do: L2 holds them meanwhile.
constexpr std::size_t kWeightsAtOnce = std::size_t{512} << 10;

void multiply_blocks(const Context& c, const Matrix& m, kernels::BlockFormat format, base::Range tiles,
                     const Activations& in, float* out, std::size_t out_stride) {
  const kernels::MatmulFn matmul = c.kernels.matmul.blocks[static_cast<std::size_t>(format)];
  const std::size_t tile_bytes = m.tile_bytes();
  const std::size_t token_bytes = m.columns / kernels::kBlockColumns * kernels::kActBlockBytes;
  const std::size_t count = tiles.end - tiles.begin;
  const std::size_t step = c.tokens == 1 ? count : std::max<std::size_t>(1, kWeightsAtOnce / tile_bytes / 2) * 2;
  for (std::size_t tile = 0; tile < count; tile += step) {
    for_each_token_tile(c.tokens, [&](std::size_t first, std::size_t tokens) {
      matmul(m.data + (tiles.begin + tile) * tile_bytes, std::min(step, count - tile), m.columns,
             in.tiles + first * token_bytes, tokens, out + first * out_stride + tile * kernels::kTileRows,
             static_cast<std::ptrdiff_t>(out_stride));
    });
  }
}

void multiply_floats(const Context& c, const Matrix& m, kernels::FloatFormat format, base::Range tiles,
                     const Activations& in, float* out, std::size_t out_stride) {
  c.kernels.matmul.floats[static_cast<std::size_t>(format)](
      m.data + tiles.begin * m.tile_bytes(), tiles.end - tiles.begin, m.columns, in.floats,
      static_cast<std::ptrdiff_t>(m.columns), c.tokens, out, static_cast<std::ptrdiff_t>(out_stride));
}

}  // namespace

std::size_t token_tiles(std::size_t tokens) noexcept {
  std::size_t tiles = tokens / kernels::kMaxTokens;
  for (std::size_t rest = tokens % kernels::kMaxTokens; rest > 0; rest -= kernels::act_tile_tokens(rest)) ++tiles;
  return tiles;
}

TokenTile token_tile(std::size_t tokens, std::size_t index) noexcept {
  const std::size_t full = tokens / kernels::kMaxTokens;
  if (index < full) return {index * kernels::kMaxTokens, kernels::kMaxTokens};
  std::size_t first = full * kernels::kMaxTokens;
  for (std::size_t skip = index - full; skip > 0; --skip) first += kernels::act_tile_tokens(tokens - first);
  return {first, kernels::act_tile_tokens(tokens - first)};
}

std::size_t block_tiles(std::size_t tiles, unsigned threads) noexcept {
  return std::clamp<std::size_t>(tiles / (threads * 16), 1, 16);
}

void linear(const Context& c, const Matrix& matrix, base::Range tiles, const Activations& in, float* out,
            std::size_t out_stride) {
  if (const auto* blocks = std::get_if<kernels::BlockFormat>(&matrix.format)) {
    multiply_blocks(c, matrix, *blocks, tiles, in, out, out_stride);
  } else if (const auto* floats = std::get_if<kernels::FloatFormat>(&matrix.format)) {
    multiply_floats(c, matrix, *floats, tiles, in, out, out_stride);
  } else {
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t end = std::min(tiles.end * kernels::kTileRows, matrix.rows);
    // Can't fail: prepare_linear() made ready for every slice that for_row_blocks() gives.
    (void)c.xnn->run({matrix.data, matrix.rows, matrix.columns}, begin, end - begin, c.tokens, in.rows, in.params, out,
                     out_stride);
  }
}

void add_mixed(const Context& c, const Matrix& matrix, Phase phase) {
  const std::size_t hidden = matrix.rows;
  const Activations& in = prepare(c, matrix.columns, matrix.form(), [&](std::size_t token, float*) {
    return c.workspace.mixed.data() + token * matrix.columns;
  });
  const std::size_t stride = hidden + kernels::kTileRows;
  for_row_blocks(c, {matrix.tiles()}, [&](std::size_t, base::Range tiles) {
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t count = (tiles.end - tiles.begin) * kernels::kTileRows;
    float* out = c.workspace.narrow.data() + begin;
    linear(c, matrix, tiles, in, out, stride);
    for (std::size_t t = 0; t < c.tokens; ++t) {
      c.kernels.vector.add(out + t * stride, count, c.workspace.x.data() + t * hidden + begin);
    }
  });
  c.worker.barrier();
  c.done(phase);
}

Status prepare_linear(XnnWorker& xnn, const Matrix& matrix, unsigned threads, std::size_t out_stride,
                      std::size_t max_tokens) {
  if (!std::holds_alternative<XnnLayout>(matrix.format)) return {};
  const auto make_ready = [&](base::Range tiles) -> Status {
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t end = std::min(tiles.end * kernels::kTileRows, matrix.rows);
    return end > begin ? xnn.prepare(matrix.columns, end - begin, out_stride, max_tokens) : Status();
  };
  const std::size_t tiles = matrix.tiles();
  for (unsigned i = 0; i < threads; ++i) {
    if (auto status = make_ready(base::split(tiles, i, threads)); !status.ok()) return status;
  }
  const std::size_t step = block_tiles(tiles, threads);
  for (std::size_t tile = 0; tile < tiles; tile += step) {
    if (auto status = make_ready({tile, std::min(tiles, tile + step)}); !status.ok()) return status;
  }
  return {};
}

}  // namespace lfm::ops
