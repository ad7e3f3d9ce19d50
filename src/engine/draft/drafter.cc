#include "engine/draft/drafter.h"

#include <algorithm>

namespace lfm::engine {
namespace {

// What a draft has to promise, in tokens a second, against a pass without one: less isn't known so well.
constexpr double kWorthIt = 1.05;

}  // namespace

void Drafter::follow(std::span<const TokenId> tokens) {
  watched_size_ = came_ = 0;
  source_->follow(tokens);
}

void Drafter::push(TokenId token) {
  source_->push(token);
  if (came_ == watched_size_) return;
  const bool came = watched_[came_] == token;
  gains_.learn(trust_, came_, came);
  if (came) {
    ++came_;
  } else {
    watched_size_ = came_ = 0;
  }
}

void Drafter::watch(const Guess& guess) noexcept {
  std::ranges::copy(guess.tokens, watched_.begin());
  watched_size_ = guess.tokens.size();
  came_ = 0;
  trust_ = guess.trust;
}

std::span<const TokenId> Drafter::next(std::size_t most, std::size_t rows, const PassCosts& costs) {
  const Guess guess = source_->guess();
  if (guess.tokens.empty()) return {};
  if (came_ == watched_size_) watch(guess);
  const double none = static_cast<double>(rows) / costs.of(rows);
  double best = none * kWorthIt, tokens = static_cast<double>(rows), chance = 1;
  std::size_t length = 0;
  for (std::size_t n = 1; n <= std::min(most, guess.tokens.size()); ++n) {
    chance *= gains_.chance(guess.trust, n - 1);
    tokens += chance;
    const double rate = tokens / costs.of(rows + n);
    if (rate <= best) continue;
    best = rate;
    length = n;
  }
  return guess.tokens.first(length);
}

}  // namespace lfm::engine
