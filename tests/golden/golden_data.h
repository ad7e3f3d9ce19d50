// What make_golden.py wrote: small networks, and what the reference says of them.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lfm::test {

struct GoldenPrompt {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> greedy;   // tokens that follow
  std::vector<float> log_sum_exp;     // of the logits, for every position
  std::vector<std::int32_t> top_ids;  // (positions, top) the likeliest tokens, best first
  std::vector<float> top_logits;      // (positions, top)
};

struct Golden {
  std::string gguf;  // the whole model file
  std::size_t top = 0;
  std::vector<GoldenPrompt> prompts;
};

// Throws std::runtime_error where the file isn't what make_golden.py writes.
Golden read_golden(const std::string& path);

// KL(reference || other) at one position, over the reference's likeliest tokens and one bucket for the rest.
double kl_divergence(const Golden& golden, const GoldenPrompt& prompt, std::size_t position,
                     std::span<const float> other);

}  // namespace lfm::test
