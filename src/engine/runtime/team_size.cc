#include "engine/runtime/team_size.h"

#include <algorithm>

namespace lfm::engine {

TeamSize::TeamSize(unsigned most) noexcept
    : sizes_{most, std::max(1u, most * 3 / 4), std::max(1u, most / 2)}, tried_(most < 4 ? 0 : kSizes) {}

void TeamSize::learn(double seconds) noexcept {
  if (tried_ == 0) return;
  const std::size_t pass = passes_++;
  if (trying_ == tried_) {
    if (passes_ == kBetween) trying_ = passes_ = 0;
    return;
  }
  if (pass >= kUncounted) seconds_[trying_][pass - kUncounted] = seconds;
  if (passes_ < kPasses) return;
  passes_ = 0;
  if (++trying_ == tried_) choose();
}

// By medians: a pass now and then is held up by something else.
void TeamSize::choose() noexcept {
  std::array<double, kSizes> medians = {};
  for (std::size_t i = 0; i < tried_; ++i) {
    auto& times = seconds_[i];
    const auto middle = times.begin() + times.size() / 2;
    std::nth_element(times.begin(), middle, times.end());
    medians[i] = *middle;
  }
  best_ = 0;
  for (std::size_t i = 1; i < tried_; ++i) {
    if (medians[i] < kWorthIt * medians[best_]) best_ = i;
  }
}

}  // namespace lfm::engine
