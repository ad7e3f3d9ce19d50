// Hugging Face folders with the weights and the tokenizer of a GGUF file in memory.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {

struct HfTensor {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::string data;
};

// A safetensors file.
std::string safetensors(const std::vector<HfTensor>& tensors);

struct HfFolder {
  nlohmann::ordered_json config;
  nlohmann::ordered_json tokenizer;
  nlohmann::ordered_json settings;  // tokenizer_config.json
  std::string chat_template;
  std::vector<HfTensor> tensors;

  // Of a tiny model whose weights are float32.
  explicit HfFolder(const TinyModel& model);

  // In one file of weights, or in several and an index.
  void write(const TempFolder& folder, std::size_t shards = 1) const;
};

}  // namespace lfm::test
