// The mixture-of-experts feed-forward network.
//
//     s = sigmoid(router u) in float32;  chosen = the experts_used experts with the largest s + bias
//     weight_e = s_e / (sum of chosen s + 1e-6);   y = sum over chosen e of weight_e * down_e(silu(gate_e u) * (up_e
//     u))
//
// The bias steers the choice alone. Ties go to the lower index, NaN counts as -infinity. The sum over experts runs in
// ascending order of their index, whatever their scores.
// Source: Hugging Face transformers, models/lfm2_moe/modeling_lfm2_moe.py, Lfm2MoeSparseMoeBlock.
#pragma once

#include <span>

#include "ops/context.h"

namespace lfm::ops {

inline constexpr std::size_t kMaxExperts = 512;

struct Experts {
  Matrix router;                // (experts, hidden), float weights
  const float* bias = nullptr;  // (experts)
  // Of expert 0; the others follow, each gate.bytes() (up.bytes(), down.bytes()) further on.
  Matrix gate;  // (width, hidden)
  Matrix up;    // (width, hidden)
  Matrix down;  // (hidden, width)
  std::size_t experts = 0;
  std::size_t used = 0;

  // x += experts(rms_norm(x) * gamma)
  void run(const Context& c, const float* gamma, float eps) const;

 private:
  // Of a single token, and of several. A token alone reads weights as strips: without, it takes 5 % longer for gate and
  // up and 2 % for down (LFM2-8B-A1B in Q4_0 on two members).
  void gate_up_one(const Context& c, const Activations& in, std::size_t tiles) const;
  void gate_up_many(const Context& c, const Activations& in) const;
  void down_add_one(const Context& c, std::size_t tiles) const;
  void down_add_many(const Context& c, std::size_t tiles) const;
  void finish_inner(const Context& c, std::size_t pair, base::Range channels, float* gates, const float* ups) const;
};

// Fills `chosen` with the experts of one token, in ascending order of their index.
//   logits, bias (experts); 1 <= chosen.size() <= experts <= kMaxExperts
void choose_experts(const float* logits, const float* bias, std::size_t experts, std::span<Choice> chosen);

}  // namespace lfm::ops
