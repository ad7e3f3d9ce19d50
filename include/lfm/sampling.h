// How the next token is chosen from the logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lfm/export.h"
#include "lfm/types.h"

namespace lfm {

// The defaults sample from the model's own distribution. What its makers recommend is Engine::recommended_sampling().
// The steps run in the order of the fields' effect: bias, penalties, mask, temperature, top-k, top-p, min-p, a draw.
struct SamplingOptions {
  struct Bias {
    TokenId id;
    float value;  // added to the logit; -infinity forbids the token
  };

  float temperature = 1.0f;  // >= 0; 0 is greedy
  std::int32_t top_k = 0;    // >= 0; 0 is off
  float top_p = 1.0f;        // (0, 1]; 1 is off
  float min_p = 0.0f;        // [0, 1]; 0 is off

  // Of tokens that the context has, prompt and answer alike: a positive logit is divided by the first, another one
  // multiplied with it; then the second is subtracted once, and the third as often as the context has the token.
  float repetition_penalty = 1.0f;  // > 0; 1 is off
  float presence_penalty = 0.0f;    // 0 is off; below 0 it is a reward
  float frequency_penalty = 0.0f;   // likewise
  std::size_t penalty_window = 0;   // they look at so many tokens at the end of the context; 0: at all

  // The draw for a token depends on the seed and on how many tokens come before it, and on nothing else: the same seed,
  // options and context give the same text, in however many calls. None: a random one, which Finish tells.
  std::optional<std::uint64_t> seed = std::nullopt;
  std::vector<Bias> logit_bias = {};

  // Stands for what the makers of a model recommend, whichever it is: fields that stay as they are here are as
  // Engine::recommended_sampling() has them.
  LFM_API static SamplingOptions recommended();
};

}  // namespace lfm
