// What make_golden.py and make_draft_golden.py wrote: small networks, and what the reference says of them.
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

// What a draft proposes behind `ids`, when `anchor` is the newest token.
struct DraftCase {
  std::vector<std::int32_t> ids;
  std::int32_t anchor = 0;
  std::vector<std::int32_t> tokens;  // proposed, a row each
  std::vector<float> confidences;    // a row each
  std::vector<float> taps;           // of the last of ids, in the order of the draft's target_layers
  std::vector<float> hidden;         // (rows, hidden), behind the last norm
  std::vector<float> base;           // (rows, vocabulary) logits, without what the token before adds
};

struct DraftGolden {
  std::string gguf;  // the draft's file; its target is that of moe-f16.golden
  std::size_t block = 0;
  std::size_t vocab = 0;
  std::vector<DraftCase> cases;
};

// Throws std::runtime_error where the file isn't what make_draft_golden.py writes.
DraftGolden read_draft_golden(const std::string& path);

// KL(reference || other) at one position, over the reference's likeliest tokens and one bucket for the rest.
double kl_divergence(const Golden& golden, const GoldenPrompt& prompt, std::size_t position,
                     std::span<const float> other);

}  // namespace lfm::test
