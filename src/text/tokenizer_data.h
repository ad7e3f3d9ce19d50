// What a tokenizer is made of, as plain values: the contents of a model file's `tokenizer.ggml.*` keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/types.h"

namespace lfm::text {

using lfm::TokenId;

// GGUF's token types, with GGUF's numbers.
enum class TokenType : std::uint8_t {
  kNormal = 1,       // takes part in byte-level BPE; its text is written in the byte alphabet (byte_alphabet.h)
  kUnknown = 2,      // stands for text that can't be encoded, which doesn't happen here: never produced
  kControl = 3,      // special: part of the chat form, not of what a person wrote; its text is written plainly
  kUserDefined = 4,  // added to the vocabulary by hand and matched before BPE; its text is written plainly
  kUnused = 5,       // fills a gap between ids: never produced
};

// The views must outlive the call that reads them and no longer: a Tokenizer keeps its own copy.
struct TokenizerData {
  std::string model;                     // tokenizer.ggml.model
  std::string pre;                       // tokenizer.ggml.pre
  std::vector<std::string_view> tokens;  // text of every id
  std::vector<std::int32_t> types;       // a TokenType for every id
  std::vector<std::string_view> merges;  // "left right", best first
  std::optional<std::uint64_t> bos_id;   // begins a text
  std::optional<std::uint64_t> eos_id;   // ends a generation
  std::optional<std::uint64_t> eot_id;   // ends a turn, and with it a generation
  std::optional<std::uint64_t> pad_id;   // fills batches; only checked
  bool add_bos = false;                  // whether the model wants every text to begin with bos_id
};

}  // namespace lfm::text
