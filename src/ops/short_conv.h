// LFM2's gated short convolution, a mixer.
//
//     B, C, x = split(in_proj u);   y_t = C_t * sum_l taps[l] * (B * x)_{t - L + 1 + l};   out_proj y
//
// with u the normed residual stream. Per channel, causal, no activation. The state is the last L - 1 values of B * x.
// Source: Hugging Face transformers, models/lfm2/modeling_lfm2.py, Lfm2ShortConv.
#pragma once

#include <span>

#include "ops/context.h"

namespace lfm::ops {

// Where the convolution states of a sequence are to be copied as they are at a position of the coming tokens.
struct StateCopy {
  std::size_t position = 0;
  float* states = nullptr;  // of all layers
};

// A sequence's rows of a pass, and its state in one layer.
struct ConvRun {
  Rows rows;
  std::size_t position;                    // of the first row's token
  float* state;                            // (hidden / 16, L - 1, 16), oldest first
  std::size_t offset;                      // of this layer's state among those of all layers
  std::span<const StateCopy> checkpoints;  // ascending; position < theirs <= position + rows.count
};

struct ShortConv {
  Matrix in_proj;               // (3 * hidden, hidden): rows of B, then C, then x
  Matrix out_proj;              // (hidden, hidden)
  const float* taps = nullptr;  // (hidden / 16, L, 16); tap L - 1 is the current token
  std::size_t l = 0;            // L

  // mixed (tokens, hidden) = y of rms_norm(x) * gamma, and moves the states on. add_out() ends the mixer.
  void mix(const Context& c, const float* gamma, float eps, std::span<const ConvRun> runs) const;

  // x += out_proj mixed
  void add_out(const Context& c) const;
  std::size_t width() const noexcept { return out_proj.columns; }  // columns of mixed

  // Floats from a token's B, C and x to the next token's: a tile more than they are. The convolution walks from token
  // to token, and rows a multiple of 4 KiB apart would share a few sets of the caches.
  std::size_t in_stride() const noexcept { return in_proj.rows + kernels::kTileRows; }

 private:
  void convolve(const Context& c, std::size_t tile, const ConvRun& run) const;
};

}  // namespace lfm::ops
