#include "ops/dense_ffn.h"

#include "ops/linear.h"

namespace lfm::ops {

using kernels::kTileRows;

void DenseFfn::run(const Context& c, const float* gamma, float eps) const {
  Workspace& w = c.workspace;
  const std::size_t hidden = down.rows;
  const std::size_t width = down.columns;
  const Activations& in = prepare(c, hidden, gate.form() | up.form(), [&](std::size_t token, float* scratch) {
    c.kernels.vector.rms_norm(w.x.data() + token * hidden, gamma, hidden, eps, scratch);
    return scratch;
  });

  const std::size_t stride = 2 * width;
  float* const gates = w.wide.data();
  float* const ups = gates + width;
  for_row_blocks(c, {width / kTileRows}, [&](std::size_t, base::Range tiles) {
    linear(c, gate, {tiles}, in, gates, stride);
    linear(c, up, {tiles}, in, ups, stride);
    const std::size_t begin = tiles.begin * kTileRows;
    const std::size_t count = (tiles.end - tiles.begin) * kTileRows;
    for (std::size_t t = 0; t < c.tokens; ++t) {
      const std::size_t at = t * stride + begin;
      c.kernels.vector.swiglu(gates + at, ups + at, count, w.mixed.data() + t * width + begin);
    }
  });
  c.worker.barrier();
  c.done(Phase::kDenseIn);

  add_mixed(c, down, Phase::kDenseOut);
}

}  // namespace lfm::ops
