#include "text/tokenizer_gguf.h"

#include "base/try.h"

namespace lfm::text {

Result<Tokenizer> tokenizer_from_gguf(const format::Gguf& gguf) {
  const format::Metadata& metadata = gguf.metadata();
  TokenizerData data;
  LFM_ASSIGN(data.model, metadata.require_string("tokenizer.ggml.model"));
  LFM_ASSIGN(data.pre, metadata.require_string("tokenizer.ggml.pre"));
  LFM_ASSIGN(const format::StringArray tokens, metadata.require_strings("tokenizer.ggml.tokens"));
  LFM_ASSIGN(const format::StringArray merges, metadata.require_strings("tokenizer.ggml.merges"));
  LFM_ASSIGN(const std::vector<std::int32_t> types, metadata.require_integers("tokenizer.ggml.token_type"));
  data.tokens.reserve(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) data.tokens.push_back(tokens[i]);
  data.merges.reserve(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i) data.merges.push_back(merges[i]);
  data.types.assign(types.begin(), types.end());
  LFM_ASSIGN(data.bos_id, metadata.find_unsigned("tokenizer.ggml.bos_token_id"));
  LFM_ASSIGN(data.eos_id, metadata.find_unsigned("tokenizer.ggml.eos_token_id"));
  LFM_ASSIGN(data.eot_id, metadata.find_unsigned("tokenizer.ggml.eot_token_id"));
  LFM_ASSIGN(data.pad_id, metadata.find_unsigned("tokenizer.ggml.padding_token_id"));
  LFM_ASSIGN(const std::optional<bool> add_bos, metadata.find_bool("tokenizer.ggml.add_bos_token"));
  data.add_bos = add_bos.value_or(false);
  return Tokenizer::create(data);
}

}  // namespace lfm::text
