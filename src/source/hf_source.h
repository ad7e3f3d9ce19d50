// Hugging Face's folders as a source: config.json, tokenizer.json, safetensors and what else lies beside them. What
// they say of the network and the tokenizer is held as GGUF keys, as llama.cpp's converter would write them.
#pragma once

#include <memory>
#include <string>

#include "lfm/result.h"
#include "source/identity.h"
#include "source/source.h"

namespace lfm::source {

// Of an identity of this format (open_folder() is in source.h). kFormat
Result<std::unique_ptr<Source>> restore_folder(const Identity& identity);

}  // namespace lfm::source
