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

struct Weights {
  ops::Matrix embedding;  // (vocab, hidden)
  std::vector<Layer> layers;
  const float* output_norm = nullptr;  // (hidden)
  ops::Matrix head;                    // (vocab, hidden), often the embedding itself
};

}  // namespace lfm::model
