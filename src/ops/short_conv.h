// LFM2's gated short convolution, a mixer.
//
//     B, C, x = split(in_proj u);   y_t = C_t * sum_l taps[l] * (B * x)_{t - L + 1 + l};   out_proj y
//
// with u the normed residual stream. Per channel, causal, no activation. The state is the last L - 1 values of B * x.
// Source: Hugging Face transformers, models/lfm2/modeling_lfm2.py, Lfm2ShortConv.
#pragma once

#include "ops/context.h"

namespace lfm::ops {

struct ShortConv {
  Matrix in_proj;               // (3 * hidden, hidden): rows of B, then C, then x
  Matrix out_proj;              // (hidden, hidden)
  const float* taps = nullptr;  // (hidden / 16, L, 16); tap L - 1 is the current token
  std::size_t l = 0;            // L

  // x += short_conv(rms_norm(x) * gamma), and moves the state on.
  //   state (hidden / 16, L - 1, 16), oldest first
  void run(const Context& c, const float* gamma, float eps, float* state) const;
};

}  // namespace lfm::ops
