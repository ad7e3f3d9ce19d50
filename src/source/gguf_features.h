// What a file's keys say of its network besides sizes.
#pragma once

#include "format/metadata.h"
#include "lfm/result.h"
#include "model/config.h"

namespace lfm::source {

// kUnsupported for what other models have and these don't: run as if it weren't there, it would give wrong text without
// a word. Values that say that something isn't there are no features. Adds a note where the model wasn't made to talk.
Status check_features(const format::Metadata& metadata, model::Config& config);

}  // namespace lfm::source
