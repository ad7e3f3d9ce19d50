// The network's operations in float32 on whole sequences, for calibration: matrices are given as (outputs, inputs)
// floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/table.h"
#include "model/config.h"
#include "quantize/dense.h"

namespace lfm::quantize {

struct Arithmetic {
  const Dense& dense;
  const kernels::VectorKernels& vector;
};

// As the kernels have activations of blocks: eight bits and a scale for 32 channels. x (n, k), in place.
void round_to_int8(float* x, std::size_t n, std::size_t k) noexcept;

// out = rms_norm(x) * gamma for n rows
void norm_rows(const Arithmetic& a, const float* x, std::size_t n, std::span<const float> gamma, float eps, float* out);

// The mixers of one sequence from their normed inputs (tokens, hidden): out (tokens, hidden) for the convolution,
// (tokens, heads * head_dim) for attention.
struct ConvWeights {
  std::span<const float> in_proj, taps;  // (3 hidden, hidden), (hidden, taps)
};
void convolve(const Arithmetic& a, const ConvWeights& w, const model::Config& config, const float* in,
              std::size_t tokens, float* out);

struct AttentionWeights {
  std::span<const float> q, k, v, q_norm, k_norm;
};
void attend(const Arithmetic& a, const AttentionWeights& w, const model::Config& config, std::size_t kv_heads,
            const float* in, std::size_t tokens, float* out);

// out (n, width) = silu(in gate^T) * (in up^T)
void gated(const Arithmetic& a, std::span<const float> gate, std::span<const float> up, std::size_t width,
           const float* in, std::size_t n, std::size_t hidden, float* out);

}  // namespace lfm::quantize
