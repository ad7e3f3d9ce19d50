// A complete model file of a few kilobytes with random weights and a byte-level vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/tensor_type.h"
#include "support/gguf_builder.h"

namespace lfm::test {

struct TinyModel {
  bool moe = true;  // lfm2moe, else lfm2
  std::uint32_t hidden = 64;
  std::uint32_t heads = 2;
  std::vector<std::int32_t> kv_heads = {0, 1, 0};  // of each layer; 0: a convolution
  std::uint32_t conv_taps = 3;
  std::uint32_t ffn_width = 96;
  std::uint32_t dense_layers = 1;
  std::uint32_t experts = 4;
  std::uint32_t experts_used = 2;
  std::uint32_t expert_width = 64;
  std::uint32_t context_length = 1024;
  std::uint32_t vocab = 300;  // at least 270 with a tokenizer: 14 specials and 256 bytes come first
  bool tokenizer = true;
  std::string chat_template = {};
  bool thinks = false;                                      // "<think>" is 3 and "</think>" 4, user defined
  bool tied = true;                                         // no output.weight
  format::TensorType matrices = format::TensorType::kF32;   // any type that is run
  format::TensorType embedding = format::TensorType::kF32;  // and head
  std::uint32_t seed = 1;

  std::string prefix() const { return moe ? "lfm2moe." : "lfm2."; }
  GgufBuilder builder() const;
  std::string build() const { return builder().build(); }
};

// `count` random weights of about the given standard deviation as a file holds them; count is whole blocks. All scales
// are finite.
std::string random_weights(format::TensorType type, std::uint64_t count, float deviation, std::uint32_t& seed);

// The text that stands for a byte in a byte-level vocabulary, UTF-8.
std::string byte_token(unsigned char byte);

}  // namespace lfm::test
