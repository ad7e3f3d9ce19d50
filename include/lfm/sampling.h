// How the next token is chosen from the logits.
#pragma once

#include <cstdint>
#include <vector>

#include "lfm/types.h"

namespace lfm {

// The defaults sample from the model's own distribution; Engine::recommended_sampling() has what its makers recommend.
// The steps run in the order of the fields' effect: bias, repetition penalty, temperature, top-k, top-p, min-p, a draw.
struct SamplingOptions {
  struct Bias {
    TokenId id;
    float value;  // added to the logit; -infinity forbids the token
  };

  float temperature = 1.0f;         // >= 0; 0 is greedy
  std::int32_t top_k = 0;           // >= 0; 0 is off
  float top_p = 1.0f;               // (0, 1]; 1 is off
  float min_p = 0.0f;               // [0, 1]; 0 is off
  float repetition_penalty = 1.0f;  // > 0; 1 is off; over the whole context
  std::uint64_t seed = 0;           // the same seed, options and context give the same token
  std::vector<Bias> logit_bias = {};
};

}  // namespace lfm
