#include "engine/draft/gains.h"

#include <algorithm>
#include <bit>

namespace lfm::engine {
namespace {

constexpr double kPrior = 3;    // tokens that the expectation counts for
constexpr double kRecent = 24;  // tokens that a mean is of

}  // namespace

std::size_t DraftGains::distance(std::size_t i) noexcept {
  static_assert(std::bit_width(DraftSource::kLongest - 1) + 1 == kDistances);
  return static_cast<std::size_t>(std::bit_width(i));
}

DraftGains::DraftGains(const DraftSource& source) noexcept {
  for (std::size_t trust = 0; trust < means_.size(); ++trust) means_[trust].fill({source.expected(trust), kPrior});
}

void DraftGains::learn(std::size_t trust, std::size_t i, bool came) noexcept {
  Mean& mean = means_[trust][distance(i)];
  mean.seen = std::min(mean.seen + 1, kRecent);
  mean.chance += ((came ? 1.0 : 0.0) - mean.chance) / mean.seen;
}

}  // namespace lfm::engine
