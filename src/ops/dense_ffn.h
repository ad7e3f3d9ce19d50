// The feed-forward network of a dense layer: down(silu(gate u) * (up u)).
// Source: Hugging Face transformers, models/lfm2/modeling_lfm2.py, Lfm2MLP (w1 = gate, w3 = up, w2 = down).
#pragma once

#include "ops/context.h"

namespace lfm::ops {

struct DenseFfn {
  Matrix gate;  // (width, hidden)
  Matrix up;    // (width, hidden)
  Matrix down;  // (hidden, width)

  // x += ffn(rms_norm(x) * gamma)
  void run(const Context& c, const float* gamma, float eps) const;
};

}  // namespace lfm::ops
