// What the machine can do at most with a loaded model.
#pragma once

#include <cstddef>
#include <span>

#include "engine/runtime/runtime.h"
#include "lfm/diagnostics.h"

namespace lfm::engine {

// As Diagnostics::measure_limits().
MachineLimits measure_limits(Runtime& runtime, std::span<const std::byte> weights);

}  // namespace lfm::engine
