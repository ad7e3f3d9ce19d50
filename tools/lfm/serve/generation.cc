#include "serve/generation.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/try.h"

namespace lfm::serve {
namespace {

constexpr double kLarge = 1e9;
constexpr double kMostPenalty = 100;

template <typename T>
void set_if(const std::optional<double>& from, T& to) {
  if (from) to = static_cast<T>(*from);
}

Status read_bias(const Fields& fields, const Model& model, std::size_t most, SamplingOptions& sampling) {
  LFM_ASSIGN(const Json* const biases, fields.object("logit_bias"));
  if (biases == nullptr) return {};
  if (biases->size() > most) return wrong("logit_bias", "has more than " + std::to_string(most) + " tokens");
  for (const auto& [key, value] : biases->items()) {
    TokenId id = 0;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (code != std::errc() || end != key.data() + key.size() || id < 0 ||
        static_cast<std::size_t>(id) >= model.engine().tokenizer().size())
      return wrong("logit_bias", "has a key that is no token of the model: " + json_text(key));
    if (!value.is_number() || !(std::abs(value.get<double>()) <= kMostPenalty))
      return wrong("logit_bias", "has a value that is no number from -100 to 100: " + json_text(value));
    // The end of the scale is a ban, as everybody takes it.
    const double bias = value.get<double>();
    sampling.logit_bias.push_back({id, bias <= -kMostPenalty ? -INFINITY : static_cast<float>(bias)});
  }
  return {};
}

Status read_sampling(const Fields& fields, SamplingOptions& sampling) {
  LFM_ASSIGN(const auto temperature, fields.number("temperature", 0, kMostPenalty));
  set_if(temperature, sampling.temperature);
  LFM_ASSIGN(const auto top_p, fields.number("top_p", 0, 1));
  // 0 is the likeliest token alone.
  if (top_p) sampling.top_p = std::max(static_cast<float>(*top_p), 1e-6f);
  LFM_ASSIGN(const auto top_k, fields.whole("top_k", -1, INT32_MAX));
  if (top_k) sampling.top_k = static_cast<std::int32_t>(std::max<std::int64_t>(*top_k, 0));
  LFM_ASSIGN(const auto min_p, fields.number("min_p", 0, 1));
  set_if(min_p, sampling.min_p);
  LFM_ASSIGN(const auto presence, fields.number("presence_penalty", -kMostPenalty, kMostPenalty));
  set_if(presence, sampling.presence_penalty);
  LFM_ASSIGN(const auto frequency, fields.number("frequency_penalty", -kMostPenalty, kMostPenalty));
  set_if(frequency, sampling.frequency_penalty);
  LFM_ASSIGN(const auto repeat, fields.number("repeat_penalty", 1e-6, kLarge));
  set_if(repeat, sampling.repetition_penalty);
  LFM_ASSIGN(const auto repetition, fields.number("repetition_penalty", 1e-6, kLarge));
  set_if(repetition, sampling.repetition_penalty);
  LFM_ASSIGN(const auto window, fields.whole("repeat_last_n", -1, INT32_MAX));
  if (window) sampling.penalty_window = static_cast<std::size_t>(std::max<std::int64_t>(*window, 0));
  LFM_ASSIGN(const auto seed, fields.whole("seed", INT64_MIN, INT64_MAX));
  if (seed && *seed != -1) sampling.seed = static_cast<std::uint64_t>(*seed);
  return {};
}

}  // namespace

Status read_generation(const Fields& fields, const Model& model, const RequestLimits& limits,
                       GenerateOptions& generate) {
  generate.sampling = model.engine().recommended_sampling();
  LFM_TRY(read_sampling(fields, generate.sampling));
  LFM_TRY(read_bias(fields, model, limits.biases, generate.sampling));
  generate.max_tokens = 0;
  for (const char* const name : {"n_predict", "max_tokens", "max_completion_tokens"}) {
    LFM_ASSIGN(const auto most, fields.whole(name, -1, INT32_MAX));
    if (most && *most == 0) return wrong(name, "expected at least 1, or -1 for what there is room for");
    if (most) generate.max_tokens = static_cast<std::size_t>(std::max<std::int64_t>(*most, 0));
  }
  LFM_ASSIGN(generate.stop, fields.texts("stop", limits.stops, limits.stop_bytes));
  std::erase(generate.stop, std::string());
  LFM_ASSIGN(const auto ignore_end, fields.flag("ignore_eos"));
  generate.ignore_end = ignore_end.value_or(false);
  return {};
}

Status read_effort(std::string_view effort, const std::string& field, ChatRequest& request) {
  constexpr std::size_t kMinimal = 128, kLow = 512, kMedium = 2048;
  auto& budget = request.generate.thinking_budget;
  if (effort == "none") {
    request.thinks = false;
  } else if (effort == "minimal") {
    budget = kMinimal;
  } else if (effort == "low") {
    budget = kLow;
  } else if (effort == "medium") {
    budget = kMedium;
  } else if (effort != "high" && effort != "xhigh") {
    return wrong(field, "expected none, minimal, low, medium or high, not " + json_text(effort));
  }
  return {};
}

Status check_model(const Fields& fields, const Model& model, bool strict) {
  LFM_ASSIGN(const auto name, fields.text("model"));
  if (!strict || !name || *name == model.name()) return {};
  return Error{ErrorCode::kUnsupported, "there is no model '" + *name + "' here, but '" + model.name() + "'", "model"};
}

}  // namespace lfm::serve
