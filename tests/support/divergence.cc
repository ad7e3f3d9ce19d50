#include "support/divergence.h"

#include <cmath>
#include <new>
#include <stdexcept>

#include "base/checked.h"
#include "engine/load/load.h"
#include "kernels/matmul/layout.h"
#include "model/state.h"
#include "quantize/calibration_text.h"

namespace lfm::test {
namespace {

template <typename T>
T value_of(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
  return *std::move(result);
}

std::vector<float> normalized(std::span<const float> logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  std::vector<float> row;
  for (const float logit : logits) row.push_back(static_cast<float>(static_cast<double>(logit) - std::log(sum)));
  return row;
}

}  // namespace

LoadedModel open_model(const std::string& path) {
  return value_of(engine::load_model(path, {}));
}

LogProbabilities log_probabilities(const engine::Model& model, const engine::Model& reference, const std::string& text,
                                   std::size_t tokens) {
  model::Weights weights = model.weights;
  weights.embedding = reference.weights.embedding;
  weights.head = reference.weights.head;
  const std::size_t stride = base::round_up(model.config.vocab, kernels::kTileRows);
  LogProbabilities all;
  for (const auto& piece : value_of(quantize::cut_text(model.tokenizer, text, tokens, quantize::kTextTokens))) {
    model::State state = value_of(model::State::create(model.config, piece.size()));
    if (!state.make_room(piece.size()).ok()) throw std::bad_alloc();
    const auto each = [&](std::size_t, std::size_t count, const float* logits) {
      for (std::size_t i = 0; i < count; ++i) all.push_back(normalized({logits + i * stride, model.config.vocab}));
    };
    model.runtime->step(weights, model.config, state, piece, {.stride = stride, .outputs = piece.size(), .each = each});
  }
  return all;
}

double divergence(const LogProbabilities& reference, const LogProbabilities& found) {
  if (found.size() != reference.size() || found.empty()) throw std::runtime_error("other positions");
  double sum = 0;
  for (std::size_t t = 0; t < found.size(); ++t) {
    for (std::size_t i = 0; i < found[t].size(); ++i) {
      const auto p = static_cast<double>(reference[t][i]);
      sum += std::exp(p) * (p - static_cast<double>(found[t][i]));
    }
  }
  return sum / static_cast<double>(found.size());
}

}  // namespace lfm::test
