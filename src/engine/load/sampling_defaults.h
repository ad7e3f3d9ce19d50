// The sampling that a model was made for, for people who don't say otherwise.
#pragma once

#include "engine/generate/sampler.h"
#include "lfm/chat.h"
#include "lfm/result.h"
#include "model/config.h"
#include "source/source.h"

namespace lfm::engine {

// What Liquid AI gives for the model, recognised by architecture, sizes and kin. Of a dense model's kin, the nearest
// that says LFM2 or LFM2.5 counts; where none does, a vocabulary of 128,000 or the form of LFM2.5's template tells an
// LFM2.5.
//
//                                          temperature  top_k  top_p  min_p  penalty
//   LFM2, dense; LFM2-8B-A1B                       0.3      -      -   0.15     1.05
//   LFM2.5-8B-A1B: mixture, 128,000 tokens         0.2     80      -      -     1.05
//   LFM2-24B-A2B: mixture, 40 layers or more       0.1     50      -      -     1.05
//   LFM2.5, dense                                  0.1     50      -      -     1.05
//   LFM2.5, dense, thinking                        0.1     50    0.1      -     1.05
//
// Source: Liquid's documentation (llama-cpp/chat) and model cards of 2026. It gives figures for the LFM2.5 of 1.2B
// only; the other dense ones are taken to be like it.
SamplingOptions family_sampling(const model::Config& config, ChatForm form);

// What the model's files say, on top of no change of the model's own probabilities; the family's where they say
// nothing. kFormat: a value outside its range.
Result<SamplingOptions> default_sampling(const model::Config& config, std::span<const source::SamplingHint> hints,
                                         ChatForm form);

}  // namespace lfm::engine
