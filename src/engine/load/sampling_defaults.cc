#include "engine/load/sampling_defaults.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/try.h"

namespace lfm::engine {
namespace {

bool contains_word(std::string_view text, std::string_view lower_case) {
  const auto equal = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), equal) != text.end();
}

SamplingOptions top_k_sampling(float temperature, std::int32_t top_k, float top_p = 1.0f) {
  return {.temperature = temperature, .top_k = top_k, .top_p = top_p, .repetition_penalty = 1.05f};
}

struct FloatOption {
  std::string_view name;
  float SamplingOptions::*value;
};

constexpr FloatOption kFloatOptions[] = {
    {"temperature", &SamplingOptions::temperature},
    {"top_p", &SamplingOptions::top_p},
    {"min_p", &SamplingOptions::min_p},
    {"repetition_penalty", &SamplingOptions::repetition_penalty},
};

}  // namespace

SamplingOptions family_sampling(const model::Config& config) {
  const bool newer = contains_word(config.name, "lfm2.5");
  if (config.architecture == model::Architecture::kLfm2Moe) {
    if (config.layers.size() >= 40) return top_k_sampling(0.1f, 50);
    if (newer || config.vocab == 128000) return top_k_sampling(0.2f, 80);
  } else if (newer) {
    return top_k_sampling(0.1f, 50, contains_word(config.name, "thinking") ? 0.1f : 1.0f);
  }
  return {.temperature = 0.3f, .min_p = 0.15f, .repetition_penalty = 1.05f};
}

Result<SamplingOptions> default_sampling(const model::Config& config, std::span<const source::SamplingHint> hints) {
  SamplingOptions options = family_sampling(config);
  for (const source::SamplingHint& hint : hints) {
    if (hint.option == "top_k") options.top_k = static_cast<std::int32_t>(std::min<double>(hint.value, INT32_MAX));
    for (const auto& [name, value] : kFloatOptions) {
      if (hint.option == name) options.*value = static_cast<float>(hint.value);
    }
  }
  Status valid = validate(options, config.vocab);
  if (valid.ok()) return options;
  for (const source::SamplingHint& hint : hints) {
    if (valid.error().field != hint.option) continue;
    Error error = hint.place;
    error.message = std::move(valid).error().message;
    return error;
  }
  return std::move(valid).error();
}

}  // namespace lfm::engine
