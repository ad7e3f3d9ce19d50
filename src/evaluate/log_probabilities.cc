#include "evaluate/log_probabilities.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/exp.h"

namespace lfm::evaluate {
namespace {

constexpr float kRange = 16;  // below the largest logit, and of log probabilities that are summed

struct Row {
  float scale;
  float lowest;
};

// Sums, or whatever, side by side, of which compilers make vectors; in doubles they are put together after kAtOnce.
constexpr std::size_t kLanes = 16, kAtOnce = 1024;
using Lanes = std::array<float, kLanes>;

// Calls body(i, lane) for 0..n-1.
template <typename Body>
void for_lanes(std::size_t n, Body&& body) {
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) body(i + lane, lane);
  }
  for (std::size_t i = whole; i < n; ++i) body(i, i - whole);
}

}  // namespace

Normalized normalize(std::span<const float> logits) noexcept {
  Normalized normalized;
  Lanes most;
  most.fill(logits.front());
  for_lanes(logits.size(), [&](std::size_t i, std::size_t lane) { most[lane] = std::max(most[lane], logits[i]); });
  normalized.most = *std::ranges::max_element(most);
  const auto top = std::ranges::find(logits, normalized.most);
  normalized.top = top != logits.end() ? static_cast<std::size_t>(top - logits.begin()) : 0;
  double sum = 0;
  for (std::size_t first = 0; first < logits.size(); first += kAtOnce) {
    const std::span<const float> some = logits.subspan(first, std::min(kAtOnce, logits.size() - first));
    Lanes sums{};
    for_lanes(some.size(),
              [&](std::size_t i, std::size_t lane) { sums[lane] += base::exp(some[i] - normalized.most); });
    for (const float lane : sums) sum += static_cast<double>(lane);
  }
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
        static_cast<double>(lfm::base::exp(base)) * (static_cast<double>(base) - normalized.log_probability(logits[i]));
  }
  compared.base_log_probability = static_cast<double>(header.scale * static_cast<float>(codes[token]) + header.lowest);
  compared.same_top = top == normalized.top;
  return compared;
}

}  // namespace lfm::evaluate
