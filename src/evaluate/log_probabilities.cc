#include "evaluate/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lfm::evaluate {
namespace {

constexpr float kRange = 16;  // below the largest logit, and of log probabilities that are summed

struct Row {
  float scale;
  float lowest;
};

}  // namespace

Normalized normalize(std::span<const float> logits) noexcept {
  Normalized normalized;
  normalized.top = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  normalized.most = logits[normalized.top];
  double sum = 0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - normalized.most));
  normalized.log_sum = std::log(sum);
  return normalized;
}

void encode_row(std::span<const float> logits, const Normalized& normalized, std::span<std::uint16_t> row) noexcept {
  std::fill(row.begin(), row.end(), std::uint16_t{0});
  const float least = std::max(*std::min_element(logits.begin(), logits.end()), normalized.most - kRange);
  const Row header{(normalized.most - least) / 65535.0f, static_cast<float>(normalized.log_probability(least))};
  std::memcpy(row.data(), &header, sizeof header);
  if (header.scale == 0) return;
  const float steps = 1 / header.scale;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float code = std::nearbyint(steps * (logits[i] - least));
    row[4 + i] = static_cast<std::uint16_t>(std::clamp(code, 0.0f, 65535.0f));
  }
}

Compared compare(std::span<const float> logits, const Normalized& normalized, std::span<const std::uint16_t> row,
                 std::size_t token) noexcept {
  Row header;
  std::memcpy(&header, row.data(), sizeof header);
  const std::uint16_t* codes = row.data() + 4;
  Compared compared;
  std::size_t top = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (codes[i] > codes[top]) top = i;
    const float base = header.scale * static_cast<float>(codes[i]) + header.lowest;
    if (base <= -kRange) continue;
    compared.divergence +=
        static_cast<double>(std::exp(base)) * (static_cast<double>(base) - normalized.log_probability(logits[i]));
  }
  compared.base_log_probability = static_cast<double>(header.scale * static_cast<float>(codes[token]) + header.lowest);
  compared.same_top = top == normalized.top;
  return compared;
}

}  // namespace lfm::evaluate
