#include "ops/short_conv.h"

#include <algorithm>

#include "ops/linear.h"

namespace lfm::ops {

using kernels::kTileRows;

void ShortConv::mix(const Context& c, const float* gamma, float eps, std::span<const ConvRun> runs) const {
  Workspace& w = c.workspace;
  const std::size_t hidden = out_proj.rows;
  const std::size_t channel_tiles = hidden / kTileRows;
  const Activations& in = prepare(c, hidden, in_proj.form(), [&](std::size_t token, float* scratch) {
    c.kernels.vector.rms_norm(w.x.data() + token * hidden, gamma, hidden, eps, scratch);
    return scratch;
  });

  // The convolution needs nothing but its own channels, so whoever computed them goes on without a barrier.
  const std::size_t stride = in_stride();
  for_row_blocks(c, {channel_tiles}, [&](std::size_t, base::Range tiles) {
    const auto part = [&](std::size_t i) -> base::Range {
      return {i * channel_tiles + tiles.begin, i * channel_tiles + tiles.end};
    };
    linear(c, in_proj, {part(0), part(1), part(2)}, in, w.wide.data(), stride);
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
      for (const ConvRun& run : runs) convolve(c, tile, run);
    }
  });
  c.worker.barrier();
  c.done(Phase::kConvIn);
}

void ShortConv::add_out(const Context& c) const {
  add_mixed(c, out_proj, Phase::kConvOut);
}

// One tile of channels over the tokens of a run, with a stop at every checkpoint.
void ShortConv::convolve(const Context& c, std::size_t tile, const ConvRun& run) const {
  const std::size_t hidden = out_proj.rows;
  const std::size_t stride = in_stride();
  const std::size_t tile_state = (l - 1) * kTileRows;
  float* const state = run.state + tile * tile_state;
  std::size_t row = run.rows.first;
  const auto run_to = [&](std::size_t end) {
    const float* b = c.workspace.wide.data() + row * stride + tile * kTileRows;
    c.kernels.vector.short_conv(
        b, b + hidden, b + 2 * hidden, static_cast<std::ptrdiff_t>(stride), end - row, taps + tile * l * kTileRows, l,
        state, c.workspace.mixed.data() + row * hidden + tile * kTileRows, static_cast<std::ptrdiff_t>(hidden));
    row = end;
  };
  for (const StateCopy& copy : run.checkpoints) {
    run_to(run.rows.first + (copy.position - run.position));
    std::copy_n(state, tile_state, copy.states + run.offset + tile * tile_state);
  }
  run_to(run.rows.first + run.rows.count);
}

}  // namespace lfm::ops
