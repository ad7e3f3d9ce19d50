#include "ops/short_conv.h"

#include "ops/linear.h"

namespace lfm::ops {

using kernels::kTileRows;

void ShortConv::run(const Context& c, const float* gamma, float eps, float* state) const {
  Workspace& w = c.workspace;
  const std::size_t hidden = out_proj.rows;
  const std::size_t channel_tiles = hidden / kTileRows;
  const Activations& in = prepare(c, hidden, in_proj.form(), [&](std::size_t token, float* scratch) {
    c.kernels.vector.rms_norm(w.x.data() + token * hidden, gamma, hidden, eps, scratch);
    return scratch;
  });

  // The convolution needs nothing but its own channels, so whoever computed them goes on without a barrier.
  const std::size_t stride = 3 * hidden;
  for_row_blocks(c, {channel_tiles}, [&](std::size_t, base::Range tiles) {
    for (std::size_t part = 0; part < 3; ++part) {
      linear(c, in_proj, {part * channel_tiles + tiles.begin, part * channel_tiles + tiles.end}, in,
             w.wide.data() + part * hidden + tiles.begin * kTileRows, stride);
    }
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
      const float* b = w.wide.data() + tile * kTileRows;
      c.kernels.vector.short_conv(b, b + hidden, b + 2 * hidden, static_cast<std::ptrdiff_t>(stride), c.tokens,
                                  taps + tile * l * kTileRows, l, state + tile * (l - 1) * kTileRows,
                                  w.mixed.data() + tile * kTileRows, static_cast<std::ptrdiff_t>(hidden));
    }
  });
  c.worker.barrier();

  linear_add(c, out_proj, prepare(c, hidden, out_proj.form(), [&](std::size_t token, float*) {
               return w.mixed.data() + token * hidden;
             }));
  c.worker.barrier();
}

}  // namespace lfm::ops
