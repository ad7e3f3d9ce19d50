// A distribution by its likeliest tokens, and all others together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/log_probabilities.h"
#include "lfm/types.h"

namespace lfm::evaluate {

struct Likeliest {
  std::vector<TokenId> ids;              // from the likeliest on; of equal ones the lowest first
  std::vector<float> log_probabilities;  // of them
  float log_rest = 0;                    // of all others together; -infinity where they have nothing
};

// `count` tokens, or all where there are fewer.
Likeliest likeliest(std::span<const float> logits, const Normalized& normalized, std::size_t count);

// The divergence of logits from it, the others taken together in both: at most what it is with all tokens apart.
double divergence(const Likeliest& base, std::span<const float> logits, const Normalized& normalized) noexcept;

// As rows of 16-bit words in files:
//
//   f32 log p of the text's token | f32 log p of all others together | i32 id, f32 log p of each of the likeliest
constexpr std::size_t likeliest_words(std::size_t count) noexcept {
  return 4 + 4 * count;
}
void encode_likeliest(const Likeliest& likeliest, double log_probability, std::span<std::uint16_t> row) noexcept;

// Whether all ids of a row are below `vocabulary`, which compare_likeliest() takes for granted.
bool are_tokens(std::span<const std::uint16_t> row, std::size_t vocabulary) noexcept;
Compared compare_likeliest(std::span<const float> logits, const Normalized& normalized,
                           std::span<const std::uint16_t> row);

}  // namespace lfm::evaluate
