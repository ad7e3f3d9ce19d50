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

struct FloatKey {
  const char* key;
  const char* option;  // as validate() calls it
  float SamplingOptions::*value;
};

constexpr FloatKey kFloatKeys[] = {
    {"general.sampling.temp", "temperature", &SamplingOptions::temperature},
    {"general.sampling.top_p", "top_p", &SamplingOptions::top_p},
    {"general.sampling.min_p", "min_p", &SamplingOptions::min_p},
    {"general.sampling.penalty_repeat", "repetition_penalty", &SamplingOptions::repetition_penalty},
};
constexpr const char* kTopKKey = "general.sampling.top_k";

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

Result<SamplingOptions> default_sampling(const model::Config& config, const format::Metadata& metadata) {
  SamplingOptions options = family_sampling(config);
  for (const auto& [key, option, value] : kFloatKeys) {
    LFM_ASSIGN(const auto found, metadata.find_float(key));
    if (found) options.*value = static_cast<float>(*found);
  }
  LFM_ASSIGN(const auto top_k, metadata.find_unsigned(kTopKKey));
  if (top_k) options.top_k = static_cast<std::int32_t>(std::min<std::uint64_t>(*top_k, INT32_MAX));
  if (Status valid = validate(options, config.vocab); !valid.ok()) {
    Error error = std::move(valid).error();
    for (const auto& [key, option, value] : kFloatKeys) {
      if (error.field == option) return metadata.error(key, std::move(error.message));
    }
  }
  return options;
}

}  // namespace lfm::engine
