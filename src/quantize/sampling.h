// Text that a network writes itself, many at a time.
#pragma once

#include <functional>

#include "engine/runtime/runtime.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/weights.h"
#include "quantize/calibration_text.h"

namespace lfm::quantize {

// Texts of `window` tokens, `tokens` in all or a few more: a quarter of them answers to openings of our own, the others
// said from nothing. The same for the same network. `progress` as QuantizeOptions has it.
//   kUnsupported  the window is too short;   kNumeric, kNoMemory (no thread may be started, too), kCancelled
Result<Texts> sample_texts(engine::Runtime& runtime, const model::Weights& weights, const model::Config& config,
                           const text::Tokenizer& tokenizer, std::size_t tokens, std::size_t window,
                           const std::function<bool(double part)>& progress);

}  // namespace lfm::quantize
