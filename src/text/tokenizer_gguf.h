// The tokenizer of a GGUF file.
#pragma once

#include "format/gguf.h"
#include "lfm/result.h"
#include "text/tokenizer.h"

namespace lfm::text {

// Reads the `tokenizer.ggml.*` keys. kFormat naming the key; besides those of Tokenizer::create.
Result<Tokenizer> tokenizer_from_gguf(const format::Gguf& gguf);

}  // namespace lfm::text
