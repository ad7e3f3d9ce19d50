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

// "LFM2.5", "LFM-2.5" and "lfm 2.5" are one.
std::string without_gaps(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '-' && c != '_') out += c;
  }
  return out;
}

bool is_newer(const model::Config& config, ChatForm form) {
  for (const std::string& name : config.kin) {
    const std::string text = without_gaps(name);
    if (contains_word(text, "lfm2.5")) return true;
    if (contains_word(text, "lfm2")) return false;
  }
  return config.vocab == 128000 || form == ChatForm::kLfm25;
}

bool thinks(const model::Config& config) {
  return std::any_of(config.kin.begin(), config.kin.end(),
                     [](const std::string& name) { return contains_word(name, "thinking"); });
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

SamplingOptions family_sampling(const model::Config& config, ChatForm form) {
  if (config.architecture == model::Architecture::kLfm2Moe) {
    if (config.layers.size() >= 40) return top_k_sampling(0.1f, 50);
    if (config.vocab == 128000 || is_newer(config, ChatForm::kFromModel)) return top_k_sampling(0.2f, 80);
  } else if (is_newer(config, form)) {
    return top_k_sampling(0.1f, 50, thinks(config) ? 0.1f : 1.0f);
  }
  return {.temperature = 0.3f, .min_p = 0.15f, .repetition_penalty = 1.05f};
}

Result<SamplingOptions> default_sampling(const model::Config& config, std::span<const source::SamplingHint> hints,
                                         ChatForm form) {
  SamplingOptions options = hints.empty() ? family_sampling(config, form) : SamplingOptions{};
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
