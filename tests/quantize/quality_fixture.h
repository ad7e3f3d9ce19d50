// Networks in float32 that lie on no grid, made of the nano model, and how far files of them are: less than
// llama-quantize's by as much as issue after issue has to hold.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "lfm/quantize.h"
#include "quantize/blocks/halves.h"
#include "quantize/model_writer.h"
#include "support/divergence.h"
#include "support/loaded.h"
#include "support/rotated_model.h"
#include "support/temp_folder.h"

namespace lfm::test {

inline constexpr const char* kNano = LFM_NANO "/lfm2-nano-q4_0.gguf";

// Conversations, each with the token that begins a text: the part of them whose number modulo 3 is 0, or the others.
inline std::vector<std::string> conversations(bool evaluated) {
  std::vector<std::string> texts;
  std::ifstream lines(LFM_NANO "/eval.jsonl");
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i) {
    if ((i % 3 == 0) != evaluated) continue;
    const auto row = nlohmann::json::parse(line);
    texts.push_back(row["text"].get<std::string>() + row["expect"].get<std::string>() + "<|im_end|>\n");
  }
  return texts;
}

inline std::string joined(bool evaluated) {
  std::string text;
  for (const std::string& one : conversations(evaluated)) text += one;
  return text;
}

// The matrices of a file in float32 as llama-quantize's Q4_0 has them without an importance matrix: of each block the
// weight that is largest becomes the least code.
inline std::string rounded_by_the_largest(std::string bytes) {
  const auto loaded = load(as_bytes(bytes));
  if (!loaded.ok()) throw std::runtime_error(loaded.error().describe());
  for (const model::Tensor& tensor : loaded->table.tensors) {
    if (!quantize::is_layer_matrix(tensor)) continue;
    std::vector<float> weights(tensor.elements());
    char* const at = bytes.data() + tensor.file.place.offset;
    std::memcpy(weights.data(), at, weights.size() * sizeof(float));
    for (std::size_t i = 0; i < weights.size(); i += 32) {
      const auto block = std::span(weights).subspan(i, 32);
      const float largest = *std::ranges::max_element(block, {}, [](float w) { return std::abs(w); });
      const float scale = quantize::float_of_half(quantize::half_of(largest / -8));
      const float inverse = largest != 0 ? -8 / largest : 0;
      for (float& w : block) w = scale * (std::min(15.0f, std::floor(w * inverse + 8.5f)) - 8);
    }
    std::memcpy(at, weights.data(), weights.size() * sizeof(float));
  }
  return bytes;
}

// The matrices of a file in float32 as random numbers: the worst case for all that looks at inputs.
inline std::string random_matrices(std::string bytes) {
  const auto loaded = load(as_bytes(bytes));
  if (!loaded.ok()) throw std::runtime_error(loaded.error().describe());
  std::mt19937 random(3);
  for (const model::Tensor& tensor : loaded->table.tensors) {
    if (tensor.file.rank < 2) continue;
    std::vector<float> weights(tensor.elements());
    for (float& w : weights) {
      w = 0;
      for (int i = 0; i < 8; ++i) w += 0.025f * (std::generate_canonical<float, 24>(random) - 0.5f);
    }
    std::memcpy(bytes.data() + tensor.file.place.offset, weights.data(), weights.size() * sizeof(float));
  }
  return bytes;
}

// A network in float32, and how far files of it are.
class Quality : public testing::Test {
 protected:
  explicit Quality(const std::string& bytes, std::size_t tokens = 8000)
      : tokens_(tokens), float_(files_.write("float.gguf", bytes)) {}

  // Mean KL divergence from the float network.
  double divergence(QuantizeOptions options) {
    options.overwrite = true;
    const auto info = quantize_model(float_, files_.path("small.gguf"), options);
    EXPECT_TRUE(info.ok()) << info.error().describe();
    if (info.ok()) bytes_ = info->file_bytes;
    return divergence(files_.path("small.gguf"));
  }
  double divergence(const std::string& path) {
    if (exact_.empty()) exact_ = log_probabilities(*reference_, *reference_, text_, tokens_);
    return test::divergence(exact_, log_probabilities(*open_model(path), *reference_, text_, tokens_));
  }

  const std::size_t tokens_;  // to measure with
  TempFolder files_;
  const std::string float_, text_ = joined(true);
  const LoadedModel reference_ = open_model(float_);
  LogProbabilities exact_;
  std::uint64_t bytes_ = 0;  // of the last file
};

}  // namespace lfm::test
