// The layers of a network over its weights.
#pragma once

#include <variant>
#include <vector>

#include "ops/attention.h"
#include "ops/dense_ffn.h"
#include "ops/experts.h"
#include "ops/short_conv.h"

namespace lfm::model {

struct Layer {
  const float* operator_norm = nullptr;  // (hidden)
  std::variant<ops::ShortConv, ops::Attention> mixer;
  const float* ffn_norm = nullptr;  // (hidden)
  std::variant<ops::DenseFfn, ops::Experts> ffn;
};

// What a draft network has beside its layers, after them and before (draft_network.h).
struct DraftEnds {
  ops::Matrix taps;                        // (hidden, taps * hidden)
  const float* taps_norm = nullptr;        // (hidden)
  ops::Matrix markov_in;                   // (vocab, markov_rank)
  ops::Matrix markov_out;                  // (vocab, markov_rank)
  const float* confidence = nullptr;       // (hidden + markov_rank); null where it has none
  const float* confidence_bias = nullptr;  // (1), or null
};

struct Weights {
  ops::Matrix embedding;  // (vocab, hidden)
  std::vector<Layer> layers;
  const float* output_norm = nullptr;  // (hidden)
  ops::Matrix head;                    // (vocab, hidden), often the embedding itself
  DraftEnds draft = {};                // of a draft network
};

}  // namespace lfm::model
