#include "source/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/try.h"

namespace lfm::source {
namespace {

std::vector<std::string_view> views(const format::StringArray& strings) {
  std::vector<std::string_view> all;
  all.reserve(strings.size());
  for (std::size_t i = 0; i < strings.size(); ++i) all.push_back(strings[i]);
  return all;
}

Result<std::vector<std::int32_t>> read_types(const format::Metadata& metadata) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  const format::Metadata::Entry* entry = metadata.find(kKey);
  if (entry != nullptr && (entry->type != format::ValueType::kArray || entry->element != format::ValueType::kInt32)) {
    return metadata.error(kKey, "expected an array of int32");
  }
  return metadata.require_integers(kKey);
}

}  // namespace

// Those that llama.cpp gives the same pattern and the same treatment of merges.
bool cuts_as_lfm2(std::string_view pre) noexcept {
  constexpr std::array<std::string_view, 8> kAlike = {"lfm2",    "llama3",    "llama-v3", "llama-bpe",
                                                      "falcon3", "falcon-h1", "pixtral",  "midm-2.0"};
  return std::find(kAlike.begin(), kAlike.end(), pre) != kAlike.end();
}

Result<text::TokenizerData> read_tokenizer(const format::Metadata& metadata) {
  text::TokenizerData data;
  LFM_ASSIGN(data.model, metadata.require_string("tokenizer.ggml.model"));
  LFM_ASSIGN(data.pre, metadata.require_string(kPreTokenizer));
  if (cuts_as_lfm2(data.pre)) data.pre = "lfm2";
  LFM_ASSIGN(const auto tokens, metadata.require_strings("tokenizer.ggml.tokens"));
  LFM_ASSIGN(const auto merges, metadata.require_strings("tokenizer.ggml.merges"));
  LFM_ASSIGN(data.types, read_types(metadata));
  LFM_ASSIGN(data.bos_id, metadata.find_unsigned("tokenizer.ggml.bos_token_id"));
  LFM_ASSIGN(data.eos_id, metadata.find_unsigned("tokenizer.ggml.eos_token_id"));
  LFM_ASSIGN(data.eot_id, metadata.find_unsigned("tokenizer.ggml.eot_token_id"));
  LFM_ASSIGN(data.pad_id, metadata.find_unsigned("tokenizer.ggml.padding_token_id"));
  LFM_ASSIGN(const auto add_bos, metadata.find_bool("tokenizer.ggml.add_bos_token"));
  data.add_bos = add_bos.value_or(data.bos_id.has_value());
  data.tokens = views(tokens);
  data.merges = views(merges);
  return data;
}

}  // namespace lfm::source
