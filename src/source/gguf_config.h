// The network's sizes in a GGUF file.
#pragma once

#include <cstdint>

#include "format/metadata.h"
#include "lfm/result.h"
#include "model/config.h"

namespace lfm::source {

//   kFormat       a key is missing, of a wrong type or out of range, or two keys contradict each other
//   kUnsupported  another architecture, or a feature that this library doesn't run
Result<model::Config> read_config(const format::Metadata& metadata);

// Whether a feed-forward network may be that wide.
bool is_width(std::uint64_t width) noexcept;

}  // namespace lfm::source
