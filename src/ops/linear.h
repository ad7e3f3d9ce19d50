// Products of activations with packed matrices, whatever backend the matrix is packed for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <utility>

#include "ops/context.h"

namespace lfm::ops {

// Rows of activations of a call of a kernel.
struct ActRows {
  const Activations& in;
  const std::uint32_t* numbers;  // of the rows of `in`; null where they are taken as they lie
  std::size_t first;
  std::size_t count;  // at most most_tokens() of the matrix
};

// Tokens that the native kernels take at once with such a matrix.
std::size_t most_tokens(const Context& c, const Matrix& matrix) noexcept;

// out[t * out_stride + i] = row (tiles.begin * 16 + i) of a native matrix times row t of `act`. `data` is matrix.data,
// or that of another matrix of its shape.
void multiply(const Context& c, const Matrix& matrix, const std::byte* data, base::Range tiles, const ActRows& act,
              float* out, std::size_t out_stride);

// One token through strips of `tiles` tiles of native matrices, all of the shape and format of `matrix`. They are read
// side by side. A strip's `act` is act_row() of the token.
void multiply(const Context& c, const Matrix& matrix, std::span<const kernels::Strip> strips, std::size_t tiles);

// Row `number` of `in`, as a native matrix wants it.
inline const std::byte* act_row(const Matrix& matrix, const Activations& in, std::size_t number) noexcept {
  if (matrix.form() == kBlocks) return in.blocks + number * kernels::act_row_bytes(matrix.columns);
  return reinterpret_cast<const std::byte*>(in.floats + number * matrix.columns);
}

// Row `row` of a native matrix as floats (columns).
void read_row(const Matrix& matrix, std::size_t row, float* out);

// Row tiles that a member takes at least for a single token: tens of KB of weights.
inline constexpr std::size_t kLeastTiles = 4;

// Tokens in the forms that the consumers of `forms` want. row_of(token, scratch (k)) returns the token's k floats, in
// scratch or elsewhere. A single token is prepared by every member for itself, so that nobody waits; several are
// divided among the members, and the call ends with a barrier.
template <typename RowOf>
const Activations& prepare(const Context& c, std::size_t k, Forms forms, RowOf&& row_of);

// For each of the matrices that share the phase: body(which, tiles) over all its row tiles. Every member goes through a
// contiguous part of its own and then helps others: with one token in long runs, since memory is fastest so; with
// several in blocks of up to kMaxColumnTiles. No barrier at the end.
template <typename Body>
void for_row_blocks(const Context& c, std::span<const std::size_t> tile_counts, Body&& body);
template <typename Body>
void for_row_blocks(const Context& c, std::initializer_list<std::size_t> tile_counts, Body&& body) {
  for_row_blocks(c, std::span(tile_counts.begin(), tile_counts.size()), std::forward<Body>(body));
}

// Likewise where none of them is XNNPACK's.
template <typename Body>
void for_native_row_blocks(const Context& c, std::span<const std::size_t> tile_counts, Body&& body);

// Row tiles of a block when several tokens run and a matrix is XNNPACK's, which has been made ready for these sizes.
std::size_t block_tiles(std::size_t tiles, unsigned threads) noexcept;

// out[t * out_stride + i] = row i of the matrix times token t, for the rows of all `parts` and all tokens of the
// context. The parts are one, or up to kStrips of one length, which a single token reads side by side.
void linear(const Context& c, const Matrix& matrix, std::initializer_list<base::Range> parts, const Activations& in,
            float* out, std::size_t out_stride);

// x (tokens, hidden) += the matrix times mixed (tokens, columns): the end of a mixer or FFN, and of its phase. rows ==
// hidden.
void add_mixed(const Context& c, const Matrix& matrix, Phase phase);

// Makes `xnn` ready for every call of linear() with this matrix and stride, on teams of these sizes.
Status prepare_linear(XnnWorker& xnn, const Matrix& matrix, std::span<const unsigned> teams, std::size_t out_stride,
                      std::size_t max_tokens);

// ---- implementation of the templates

template <typename RowOf>
const Activations& prepare(const Context& c, std::size_t k, Forms forms, RowOf&& row_of) {
  const bool single = c.tokens == 1;
  const Activations& a = single ? c.mine().token : c.workspace.shared;
  const kernels::VectorKernels& v = c.kernels.vector;
  const base::Range part = single ? base::Range{0, 1} : c.worker.part(c.tokens);
  for (std::size_t token = part.begin; token < part.end; ++token) {
    float* scratch = forms & kFloats ? a.floats + token * k : c.mine().row.data();
    const float* row = row_of(token, scratch);
    if (forms & kBlocks) v.quantize_act(row, k, a.blocks + token * kernels::act_row_bytes(k));
    if (forms & kRows) v.quantize_row(row, k, a.rows + token * k, &a.params[token].scale, &a.params[token].zero_point);
    if ((forms & kFloats) && row != scratch) std::copy(row, row + k, scratch);
  }
  if (!single) c.worker.barrier();
  return a;
}

template <typename Body>
void for_native_row_blocks(const Context& c, std::span<const std::size_t> tile_counts, Body&& body) {
  std::size_t all = 0;
  for (const std::size_t tiles : tile_counts) all += tiles;
  // Several tokens' kernels take tiles by twos: they are dealt so, which leaves an odd one at a matrix's end alone.
  const bool single = c.tokens == 1;
  const std::size_t unit = single ? 1 : 2;
  const base::RunSize size =
      single ? base::RunSize{.least = kLeastTiles} : base::RunSize{.most = kMaxColumnTiles / unit};
  c.worker.for_each_run((all + unit - 1) / unit, size, [&](base::Range run) {
    std::size_t first = 0, which = 0;
    for (const std::size_t tiles : tile_counts) {  // units are numbered through all matrices
      const std::size_t begin = std::max(run.begin * unit, first);
      const std::size_t end = std::min(run.end * unit, first + tiles);
      if (begin < end) body(which, base::Range{begin - first, end - first});
      first += tiles;
      ++which;
    }
  });
}

template <typename Body>
void for_row_blocks(const Context& c, std::span<const std::size_t> tile_counts, Body&& body) {
  if (c.xnn == nullptr) return for_native_row_blocks(c, tile_counts, std::forward<Body>(body));
  if (c.tokens == 1) {  // XNNPACK has been made ready for equal parts
    std::size_t which = 0;
    for (const std::size_t tiles : tile_counts) {
      const base::Range part = base::split(tiles, c.worker.index(), c.worker.count());
      if (part.begin < part.end) body(which, part);
      ++which;
    }
    return;
  }
  const unsigned threads = c.worker.count();
  std::size_t blocks = 0;
  for (const std::size_t tiles : tile_counts)
    blocks += (tiles + block_tiles(tiles, threads) - 1) / block_tiles(tiles, threads);
  c.worker.for_each_task(blocks, [&](std::size_t block) {
    std::size_t index = 0;
    for (const std::size_t tiles : tile_counts) {
      const std::size_t step = block_tiles(tiles, threads);
      const std::size_t count = (tiles + step - 1) / step;
      if (block < count) return body(index, base::Range{block * step, std::min(tiles, (block + 1) * step)});
      block -= count;
      ++index;
    }
  });
}

}  // namespace lfm::ops
