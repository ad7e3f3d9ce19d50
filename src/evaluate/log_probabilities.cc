#include "evaluate/log_probabilities.h"

#include <algorithm>
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

// Loops over single floats compilers leave as they are where the order of sums would change.
using Lanes = base::FourFloats;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kVectors = 4;  // side by side
constexpr std::size_t kStep = kVectors * kLanes;

float most_of(std::span<const float> values) noexcept {
  const float first = values.front();
  Lanes most[kVectors];
  std::fill_n(most, kVectors, Lanes{first, first, first, first});
  const std::size_t whole = values.size() / kStep * kStep;
  for (std::size_t i = 0; i < whole; i += kStep) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      const Lanes some = base::load_four(&values[i + v * kLanes]);
      most[v] = base::choose(some > most[v], some, most[v]);
    }
  }
  float largest = first;
  for (const Lanes& vector : most) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) largest = std::max(largest, vector[lane]);
  }
  for (const float value : values.subspan(whole)) largest = std::max(largest, value);
  return largest;
}

// Of exp(value - most). Floats are summed a few at a time only.
double sum_of_exp(std::span<const float> values, float most) noexcept {
  constexpr std::size_t kAtOnce = 1024;
  static_assert(kAtOnce % kStep == 0);
  float powers[kAtOnce];
  double sum = 0;
  for (std::size_t first = 0; first < values.size(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, values.size() - first);
    for (std::size_t i = 0; i < count; ++i) powers[i] = values[first + i] - most;
    base::exp_all(powers, count);
    std::fill(powers + count, powers + kAtOnce, 0.0f);
    Lanes sums[kVectors] = {};
    for (std::size_t i = 0; i < kAtOnce; i += kStep) {
      for (std::size_t v = 0; v < kVectors; ++v) sums[v] += base::load_four(powers + i + v * kLanes);
    }
    for (const Lanes& vector : sums) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) sum += static_cast<double>(vector[lane]);
    }
  }
  return sum;
}

}  // namespace

Normalized normalize(std::span<const float> logits) noexcept {
  Normalized normalized;
  normalized.most = most_of(logits);
  const auto top = std::ranges::find(logits, normalized.most);
  normalized.top = top != logits.end() ? static_cast<std::size_t>(top - logits.begin()) : 0;
  normalized.log_sum = std::log(sum_of_exp(logits, normalized.most));
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
