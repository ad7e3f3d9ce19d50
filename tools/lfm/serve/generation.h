// How an answer is made, in the fields that all dialects share.
#pragma once

#include <string>
#include <string_view>

#include "serve/fields.h"
#include "serve/limits.h"
#include "serve/model/model.h"

namespace lfm::serve {

// How tokens are chosen, and when it ends.
Status read_generation(const Fields& fields, const Model& model, const RequestLimits& limits,
                       GenerateOptions& generate);

// How much it may think: none, minimal, low, medium or high. kArgument with `field`
Status read_effort(std::string_view effort, const std::string& field, ChatRequest& request);

// The model that is asked for, where that matters: kUnsupported with "model".
Status check_model(const Fields& fields, const Model& model, bool strict);

}  // namespace lfm::serve
