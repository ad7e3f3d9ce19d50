// Text that a network writes itself, many at a time.
#pragma once

#include <functional>

#include "engine/runtime/runtime.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/weights.h"
#include "quantize/calibration_text.h"

namespace lfm::quantize {

// About `tokens`, of texts that are cut into pieces of `window` tokens: every fourth text answers an opening of our own,
// the others are said from nothing. A text goes on for three pieces, so that two of three begin in its middle, as most
// pieces of any text do. The same for the same network. `progress` as QuantizeOptions has it.
//   kUnsupported  the window is too short;   kNumeric, kNoMemory (no thread may be started, too), kCancelled
Result<Texts> sample_texts(engine::Runtime& runtime, const model::Weights& weights, const model::Config& config,
                           const text::Tokenizer& tokenizer, std::size_t tokens, std::size_t window,
                           const std::function<bool(double part)>& progress);

}  // namespace lfm::quantize
