// A network whose every matrix is rounded by itself, ready to run: made in a minute or two, for what it tells nearly as
// well as the float one would. Its weights lie in a file without a name, so that they need no memory.
#pragma once

#include <functional>
#include <string>

#include "base/memory.h"
#include "base/team.h"
#include "engine/load/model_parts.h"
#include "lfm/quantize.h"
#include "lfm/result.h"
#include "model/weights.h"

namespace lfm::quantize {

class RoundedNetwork {
 public:
  // In `folder`. `progress` as QuantizeOptions has it.   kIo, kFormat, kNumeric, kCancelled
  static Result<RoundedNetwork> create(const engine::ModelParts& parts, WeightType type, const std::string& folder,
                                       base::Team& team, const std::function<bool(double part)>& progress);

  const model::Weights& weights() const noexcept { return weights_; }

 private:
  base::Memory packed_;
  model::Weights weights_;  // in it
};

}  // namespace lfm::quantize
