#include "engine/draft/gains.h"

#include <algorithm>
#include <bit>

namespace lfm::engine {
namespace {

constexpr double kPrior = 3;    // tokens that the expectation counts for
constexpr double kRecent = 24;  // tokens that a mean is of
constexpr double kRecentOverall = 12;  // guesses: it says whether to ask at all, and texts change
constexpr double kOverall = 0.8;       // expected

}  // namespace

std::size_t DraftGains::distance(std::size_t i) noexcept {
  static_assert(std::bit_width(DraftSource::kLongest - 1) + 1 == kDistances);
  return static_cast<std::size_t>(std::bit_width(i));
}

DraftGains::DraftGains(const DraftSource& source) noexcept {
  for (std::size_t trust = 0; trust < means_.size(); ++trust) means_[trust].fill({source.expected(trust), kPrior});
  overall_.fill({kOverall, kPrior});
}

double DraftGains::overall(std::size_t i) const noexcept {
  while (i > 0 && overall_[i].seen == kPrior) --i;
  return overall_[i].chance;
}

void DraftGains::Mean::learn(double value, double weight, double recent) noexcept {
  seen = std::min(seen + weight, recent);
  chance += (value - chance) * weight / seen;
}

void DraftGains::learn(std::size_t trust, std::size_t i, bool came) noexcept {
  means_[trust][distance(i)].learn(came ? 1 : 0, 1, kRecent);
  overall_[i].learn(came ? 1 : 0, 1, kRecentOverall);
}

// A token counts as much as it is likely to be reached, for it is of no use where those before it don't come.
void DraftGains::count(const Guess& guess) noexcept {
  double reached = 1;
  for (std::size_t i = 0; i < guess.tokens.size(); ++i) {
    const double comes = chance(guess.trust_in(i), i);
    overall_[i].learn(comes, reached, kRecentOverall);
    reached *= comes;
  }
}

}  // namespace lfm::engine
