#include "sampling_flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

namespace lfm::cli {
namespace {

// A finite number from least to most; unlike CLI::Range it refuses NaN.
CLI::Validator number(double least, double most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return {};
        char message[64];
        std::snprintf(message, sizeof(message),
                      most < 1e9 ? "expected a number from %g to %g" : "expected a number from %g", least, most);
        return message;
      },
      "");
}

}  // namespace

void SamplingFlags::add_to(CLI::App& command) {
  command.add_option("--temp", temperature, "temperature; 0 takes the likeliest token (default: the model's)")
      ->check(number(0, 1e9));
  command.add_option("--top-k", top_k, "keep the K likeliest tokens; 0 keeps all")->check(CLI::NonNegativeNumber);
  command.add_option("--top-p", top_p, "keep the likeliest tokens that together have this probability")
      ->check(number(0, 1));
  command.add_option("--min-p", min_p, "keep tokens at least this times as likely as the likeliest")
      ->check(number(0, 1));
  command.add_option("--repeat-penalty", repeat_penalty, "penalty for tokens of the context; 1 is none")
      ->check(number(1e-6, 1e9));
  command.add_option("-s,--seed", seed, "seed: the same seed gives the same text")->check(CLI::NonNegativeNumber);
}

SamplingOptions SamplingFlags::sampling(const Engine& engine) const {
  SamplingOptions s = engine.recommended_sampling();
  s.temperature = temperature.value_or(s.temperature);
  s.top_k = top_k.value_or(s.top_k);
  s.top_p = top_p.value_or(s.top_p);
  s.min_p = min_p.value_or(s.min_p);
  s.repetition_penalty = repeat_penalty.value_or(s.repetition_penalty);
  s.seed = seed ? *seed : std::random_device()();
  return s;
}

}  // namespace lfm::cli
