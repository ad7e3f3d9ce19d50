// The network's sizes in a Hugging Face folder's config.json, as the keys that llama.cpp's converter makes of them.
#pragma once

#include <string>

#include "format/gguf_writer.h"
#include "json/value.h"
#include "lfm/result.h"

namespace lfm::source {

// `name` is the model's. What the keys say is checked by read_config().
//   kFormat       a member is missing or of another type
//   kUnsupported  another architecture, or a feature that GGUF's keys don't tell
Status write_config_keys(const json::Value& config, const std::string& name, format::GgufWriter& keys);

// generation_config.json: the sampling that the model's makers recommend.
Status write_sampling_keys(const json::Value& generation, format::GgufWriter& keys);

}  // namespace lfm::source
