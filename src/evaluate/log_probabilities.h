// The distribution that logits stand for, as llama-perplexity keeps it: 16 bits a token.
//
//   f32 scale | f32 lowest | u16 code[vocabulary], and one more where that is odd
//
// log p = scale * code + lowest. Logits more than 16 below the largest are taken as that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lfm::evaluate {

// 16-bit words of a row.
constexpr std::size_t row_words(std::size_t vocabulary) noexcept {
  return 2 * ((vocabulary + 1) / 2) + 4;
}

struct Normalized {
  float most = 0;      // the largest logit
  double log_sum = 0;  // of exp(logit - most)
  std::size_t top = 0;

  double log_probability(float logit) const noexcept { return static_cast<double>(logit - most) - log_sum; }
};

Normalized normalize(std::span<const float> logits) noexcept;

// row: row_words(logits.size()).
void encode_row(std::span<const float> logits, const Normalized& normalized, std::span<std::uint16_t> row) noexcept;

// What a row says about one position, against the logits of another file.
struct Compared {
  double divergence = 0;            // sum of p (log p - log q) over tokens with log p > -16
  double base_log_probability = 0;  // of the token
  bool same_top = false;
};
Compared compare(std::span<const float> logits, const Normalized& normalized, std::span<const std::uint16_t> row,
                 std::size_t token) noexcept;

}  // namespace lfm::evaluate
