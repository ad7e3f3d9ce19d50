// The tokenizer in a GGUF file.
#pragma once

#include <string_view>

#include "format/metadata.h"
#include "lfm/result.h"
#include "text/tokenizer_data.h"

namespace lfm::source {

// Reads the tokenizer.ggml.* keys: model, pre, tokens, token_type, merges, bos/eos/eot/padding_token_id and
// add_bos_token, which where it is absent is true if there is a BOS token, as llama.cpp has it for the `lfm2`
// pre-tokenizer. Scores and the chat template are not looked at.
// A pre-tokenizer that cuts text as lfm2's does is read as that.
// kFormat for a key that is missing or of another type. The views are into the metadata's file.
Result<text::TokenizerData> read_tokenizer(const format::Metadata& metadata);

inline constexpr std::string_view kPreTokenizer = "tokenizer.ggml.pre";
bool cuts_as_lfm2(std::string_view pre) noexcept;

}  // namespace lfm::source
