#include "engine/runtime/pass_costs.h"

#include <algorithm>

namespace lfm::engine {
namespace {

constexpr double kRecent = 16;          // passes that a mean is of
constexpr double kForgets = 1.0 / 512;  // a pass
constexpr double kOutlier = 2;          // times more or less than expected a pass counts for at most

}  // namespace

PassCosts::Place PassCosts::place(std::size_t rows) noexcept {
  const auto above = std::upper_bound(kRows.begin() + 1, kRows.end() - 1, rows);
  const auto node = static_cast<std::size_t>(above - kRows.begin()) - 1;
  const auto wide = static_cast<double>(kRows[node + 1] - kRows[node]);
  return {node, static_cast<double>(rows - kRows[node]) / wide};
}

double PassCosts::relative(std::size_t rows) const noexcept {
  const auto [node, beyond] = place(rows);
  return relative_[node] + beyond * std::max(0.0, relative_[node + 1] - relative_[node]);
}

void PassCosts::learn(std::size_t rows, double seconds) noexcept {
  if (rows == 0 || rows > kMostRows || !(seconds > 0)) return;
  if (one_ == 0) one_ = seconds / relative(rows);
  const double expected = of(rows);
  const double error = (std::clamp(seconds, expected / kOutlier, expected * kOutlier) - expected) / one_;
  for (std::size_t i = 1; i < kNodes; ++i) relative_[i] += (kExpected[i] - relative_[i]) * kForgets;
  const auto [node, beyond] = place(rows);
  const auto move = [&](std::size_t i, double part) {
    if (part == 0) return;
    seen_[i] = std::min(seen_[i] + part, kRecent);
    const double step = error * part / std::max(1.0, seen_[i]);
    if (i == 0) {
      one_ += one_ * step;
    } else {
      relative_[i] = std::max(1.0, relative_[i] + step);
    }
  };
  move(node, 1 - beyond);
  move(node + 1, beyond);
}

}  // namespace lfm::engine
