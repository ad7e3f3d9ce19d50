// The file of a draft network with random weights for a tiny model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/tensor_type.h"
#include "support/gguf_builder.h"
#include "support/tiny_model.h"

namespace lfm::test {

struct TinyDraft {
  std::uint32_t hidden = 64;
  std::uint32_t heads = 2;
  std::uint32_t kv_heads = 1;
  std::uint32_t head_dim = 32;
  std::uint32_t layers = 2;
  std::uint32_t ffn_width = 96;
  std::uint32_t rank = 32;
  std::uint32_t block = 5;
  std::uint32_t mask_token = 2;
  std::vector<std::int32_t> taps = {1, 3};
  std::uint32_t vocab = 300;
  bool confidence = true;
  // So many tokens from the first on are what it mostly guesses; 0: no head of its own.
  std::uint32_t favoured_first = 14 + 'a', favoured = 3;
  format::TensorType matrices = format::TensorType::kF32;
  std::uint32_t seed = 7;

  GgufBuilder builder() const;
  std::string build() const { return builder().build(); }
};

}  // namespace lfm::test
