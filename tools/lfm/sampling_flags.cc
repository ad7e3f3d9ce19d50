#include "sampling_flags.h"

#include <algorithm>
#include <charconv>
#include <random>

namespace lfm::cli {

void SamplingFlags::add_to(Command& command) {
  constexpr double kLarge = 1e9;
  command.number("--temp", temperature, {0, kLarge}, "temperature; 0 takes the likeliest token (default: the model's)");
  command.number("--top-k", top_k, {-1, 2147483647}, "keep the K likeliest tokens; 0 and -1 keep all");
  command.number("--top-p", top_p, {0, 1}, "keep the likeliest tokens that together have this probability");
  command.number("--min-p", min_p, {0, 1}, "keep tokens at least this times as likely as the likeliest");
  command.number("--repeat-penalty", repeat_penalty, {1e-6, kLarge}, "penalty for tokens of the context; 1 is none");
  command.number("--presence-penalty", presence_penalty, {-100, 100},
                 "taken off the logits of tokens of the context; 0 is none");
  command.number("--frequency-penalty", frequency_penalty, {-100, 100}, "likewise, as often as they are there");
  const auto take_seed = [this](const std::string& typed) -> std::string {
    std::uint64_t number = 0;
    const char* const end = typed.data() + typed.size();
    const auto [stop, code] = std::from_chars(typed.data(), end, number);
    if (typed == "-1") {
      seed.reset();
    } else if (code == std::errc() && stop == end) {
      seed = number;
    } else {
      return typed.find_first_not_of("0123456789") == std::string::npos
                 ? "expected a whole number from 0 to 18446744073709551615, or -1"
                 : "expected a whole number from 0, or -1";
    }
    return {};
  };
  command.value("-s,--seed", take_seed, "seed: the same seed gives the same text; -1 is another one each time");
}

Option add_draft_option(Command& command, std::function<void(Draft)> set, const char* help) {
  const auto take = [set = std::move(set)](const std::string& typed) -> std::string {
    for (const Draft each : {Draft::kOff, Draft::kLookup, Draft::kModel}) {
      if (typed != to_string(each)) continue;
      set(each);
      return {};
    }
    return "expected off, lookup or model; how many tokens are drafted, lfm finds out";
  };
  return command.value("--draft", take, help).type("off|lookup|model");
}

Draft default_draft(const Engine& engine) {
  return engine.info().draft.empty() ? Draft::kLookup : Draft::kModel;
}

std::string drafts_text(const SessionStats& stats) {
  return std::to_string(stats.accepted_tokens) + " of " + std::to_string(stats.drafted_tokens) +
         (stats.drafted_tokens == 1 ? " token" : " tokens") + " came true; " + std::to_string(stats.generated_tokens) +
         " tokens in " + std::to_string(stats.generate_passes) + " passes";
}

SamplingOptions SamplingFlags::sampling(const Engine& engine) const {
  SamplingOptions s = engine.recommended_sampling();
  s.temperature = temperature.value_or(s.temperature);
  s.top_k = std::max(top_k.value_or(s.top_k), 0);
  s.top_p = top_p.value_or(s.top_p);
  s.min_p = min_p.value_or(s.min_p);
  s.repetition_penalty = repeat_penalty.value_or(s.repetition_penalty);
  s.presence_penalty = presence_penalty.value_or(s.presence_penalty);
  s.frequency_penalty = frequency_penalty.value_or(s.frequency_penalty);
  s.seed = seed ? *seed : std::random_device()();
  return s;
}

}  // namespace lfm::cli
