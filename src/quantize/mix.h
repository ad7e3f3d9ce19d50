// Which tensors get more bits than a file's type has: those where that takes away most of the KL divergence for its
// bytes.
//
// What a tensor causes is measured: how much nearer the network, with all of it rounded to the type, comes to one of
// eight bits when that tensor alone is of eight bits too. What a type in between takes away goes by the squared error
// of the weights, as divergence does that is small.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/load/model_parts.h"
#include "engine/runtime/runtime.h"
#include "format/tensor_type.h"
#include "lfm/result.h"
#include "model/weights.h"
#include "quantize/calibration_text.h"

namespace lfm::quantize {

// A tensor of the layers.
struct MixRow {
  std::size_t tensor = 0;     // of the table
  format::TensorType type{};  // that it gets
  std::uint64_t more_bytes = 0;
  double divergence = 0;  // that it causes, in nats; by chance a little below 0 where it is nothing
  double gain = 0;        // what the type takes away of it
};

struct MixPlan {
  std::vector<MixRow> rows;  // from the one that causes most
  double divergence = 0;     // with all tensors rounded
};

struct MixNetworks {
  engine::Runtime& runtime;
  const model::Weights& exact;    // of eight bits
  const model::Weights& rounded;  // all of it
};

// `types` are those of all tensors without a mix; `bytes`: how many more there may be.
//   kNumeric, kNoMemory, kCancelled;   kIo, kFormat  of the model's files
Result<MixPlan> choose_mix(const engine::ModelParts& parts, const MixNetworks& networks, const Texts& texts,
                           std::uint64_t bytes, const std::vector<format::TensorType>& types,
                           const std::function<bool(double part)>& progress);

}  // namespace lfm::quantize
