#include "quantize/mix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "evaluate/likeliest.h"
#include "kernels/matmul/layout.h"
#include "quantize/blocks/encode.h"
#include "quantize/blocks/grid.h"
#include "quantize/model_writer.h"

namespace lfm::quantize {
namespace {

using evaluate::Likeliest;
using format::TensorType;

constexpr std::size_t kMeasured = 2048;      // tokens
constexpr std::size_t kKept = 128;           // likeliest tokens of a position
constexpr std::uint64_t kComparedRows = 64;  // of a tensor's first matrix, by which types are compared
constexpr std::array kRaised = {TensorType::kQ5_K, TensorType::kQ6_K, TensorType::kQ8_0};

// The first texts, cut where they are enough.
Texts measured_texts(const Texts& texts) {
  Texts some;
  std::size_t left = kMeasured;
  for (const auto& text : texts) {
    if (left == 0) break;
    some.emplace_back(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(left, text.size())));
    left -= some.back().size();
  }
  return some;
}

class Measure {
 public:
  Measure(const engine::ModelParts& parts, const MixNetworks& networks, const Texts& texts)
      : config_(parts.config), networks_(networks), texts_(measured_texts(texts)) {}

  // What networks are compared with.
  Status keep_exact() {
    return each_position(networks_.exact, [&](std::size_t, std::span<const float> logits, const auto& normalized) {
      exact_.push_back(likeliest(logits, normalized, kKept));
    });
  }

  // The mean over all positions.
  Result<double> divergence(const model::Weights& weights) {
    double sum = 0;
    LFM_TRY(each_position(weights, [&](std::size_t position, std::span<const float> logits, const auto& normalized) {
      sum += evaluate::divergence(exact_[position], logits, normalized);
    }));
    const double mean = sum / static_cast<double>(exact_.size());
    if (!std::isfinite(mean)) return Error{ErrorCode::kNumeric, "logits aren't numbers"};
    return mean;
  }

 private:
  template <typename Body>
  Status each_position(const model::Weights& weights, Body&& body) {
    const std::size_t stride = base::round_up(config_.vocab, kernels::kTileRows);
    std::size_t position = 0;
    for (const auto& text : texts_) {
      LFM_ASSIGN(model::State state, model::State::create(config_, text.size()));
      const auto each = [&](std::size_t, std::size_t count, const float* logits) {
        for (std::size_t i = 0; i < count; ++i) {
          const std::span row(logits + i * stride, config_.vocab);
          body(position++, row, evaluate::normalize(row));
        }
      };
      for (std::size_t first = 0; first < text.size(); first += networks_.runtime.chunk_tokens()) {
        const std::size_t count = std::min(networks_.runtime.chunk_tokens(), text.size() - first);
        LFM_TRY(state.make_room(count));
        networks_.runtime.step(weights, config_, state, std::span(text).subspan(first, count),
                               {.stride = stride, .outputs = count, .each = each});
      }
    }
    return {};
  }

  const model::Config& config_;
  const MixNetworks& networks_;
  const Texts texts_;
  std::vector<Likeliest> exact_;  // of every position
};

// What a type leaves of a tensor's divergence, and costs.
struct Step {
  TensorType type;
  std::uint64_t bytes;  // more than without a mix
  double left;          // 0..1
};

double squared_error(const std::vector<float>& weights, std::size_t columns, TensorType type) {
  std::vector<std::byte> bytes(weights.size() / format::block_columns(type) * format::block_bytes(type));
  std::vector<float> rounded(weights.size());
  if (encode(type, weights, nullptr, bytes.data()) >= 0) return 0;
  decode(type, bytes.data(), weights.size() / columns, columns, rounded.data());
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += std::pow(static_cast<double>(rounded[i] - weights[i]), 2);
  return sum;
}

// The types that a tensor may be raised to, each larger and better than the one before.
Result<std::vector<Step>> steps_of(const engine::ModelParts& parts, std::size_t number, TensorType type) {
  const model::Tensor& tensor = parts.table.tensors[number];
  std::vector<float> weights;
  LFM_TRY(read_rows(parts, {number, 0, 0, std::min(kComparedRows, tensor.rows)}, weights));
  const double error = squared_error(weights, tensor.columns, type);
  std::vector<Step> steps = {{type, 0, 1}};
  for (const TensorType raised : kRaised) {
    if (tensor.columns % format::block_columns(raised) != 0 ||
        weight_bytes(tensor, raised) <= weight_bytes(tensor, type))
      continue;
    const double left = error > 0 ? squared_error(weights, tensor.columns, raised) / error : 1;
    if (left < steps.back().left)
      steps.push_back({raised, weight_bytes(tensor, raised) - weight_bytes(tensor, type), left});
  }
  return steps;
}

struct Choice {
  MixRow row;
  std::vector<Step> steps;
  std::size_t at = 0;  // of steps

  // What some step further brings for a byte.
  double worth(std::size_t to) const {
    return row.divergence * (steps[at].left - steps[to].left) / static_cast<double>(steps[to].bytes - steps[at].bytes);
  }
};

// Again and again the step that brings most for its bytes, as long as there are enough.
void spend(std::vector<Choice>& choices, std::uint64_t bytes) {
  for (;;) {
    Choice* best = nullptr;
    std::size_t to = 0;
    for (Choice& choice : choices) {
      for (std::size_t step = choice.at + 1; step < choice.steps.size(); ++step) {
        if (choice.row.divergence <= 0 || choice.steps[step].bytes - choice.steps[choice.at].bytes > bytes) continue;
        if (best != nullptr && choice.worth(step) <= best->worth(to)) continue;
        best = &choice;
        to = step;
      }
    }
    if (best == nullptr) return;
    bytes -= best->steps[to].bytes - best->steps[best->at].bytes;
    best->at = to;
  }
}

}  // namespace

Result<MixPlan> choose_mix(const engine::ModelParts& parts, const MixNetworks& networks, const Texts& texts,
                           std::uint64_t bytes, const std::vector<TensorType>& types,
                           const std::function<bool(double part)>& progress) {
  std::vector<Choice> choices;
  for (std::size_t t = 0; t < types.size(); ++t) {
    if (!is_layer_matrix(parts.table.tensors[t]) || grid_of(types[t]) == nullptr) continue;
    LFM_ASSIGN(std::vector<Step> steps, steps_of(parts, t, types[t]));
    if (steps.size() > 1) choices.push_back({{t, types[t]}, std::move(steps)});
  }
  Measure measure(parts, networks, texts);
  LFM_TRY(measure.keep_exact());
  MixPlan plan;
  LFM_ASSIGN(plan.divergence, measure.divergence(networks.rounded));
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!progress(static_cast<double>(i) / static_cast<double>(choices.size())))
      return Error{ErrorCode::kCancelled, "stopped"};
    model::Weights weights = networks.rounded;
    model::replace_tensor(weights, networks.exact, parts.table.tensors[choices[i].row.tensor]);
    LFM_ASSIGN(const double left, measure.divergence(weights));
    choices[i].row.divergence = plan.divergence - left;
  }
  spend(choices, bytes);
  for (const Choice& choice : choices) {
    MixRow row = choice.row;
    const Step& step = choice.steps[choice.at];
    row.type = step.type;
    row.more_bytes = step.bytes;
    row.gain = choice.at > 0 ? row.divergence * (1 - step.left) : 0;
    plan.rows.push_back(row);
  }
  std::ranges::stable_sort(plan.rows, std::greater(), &MixRow::divergence);
  return plan;
}

}  // namespace lfm::quantize
