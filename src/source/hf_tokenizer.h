// The tokenizer in a Hugging Face folder (tokenizer.json, tokenizer_config.json), as the keys that llama.cpp's
// converter makes of it.
#pragma once

#include <cstdint>

#include "format/gguf_writer.h"
#include "json/value.h"
#include "lfm/result.h"

namespace lfm::source {

// `vocabulary`: tokens of the network; ids that the tokenizer doesn't have are unused. `settings`, of
// tokenizer_config.json, may be an empty object.
//   kFormat       something is missing, of another type or out of range
//   kUnsupported  another kind of tokenizer than the family's
Status write_tokenizer_keys(const json::Value& tokenizer, const json::Value& settings, const json::Value& config,
                            std::uint64_t vocabulary, format::GgufWriter& keys);

}  // namespace lfm::source
