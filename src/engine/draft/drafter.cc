#include "engine/draft/drafter.h"

#include <algorithm>

namespace lfm::engine {
namespace {

// What a draft has to promise, in tokens a second, against a pass without one: less isn't known so well.
constexpr double kWorthIt = 1.05;

}  // namespace

Drafter::Drafter(std::vector<std::unique_ptr<DraftSource>> sources) {
  for (auto& source : sources) guessers_.emplace_back(std::move(source));
}

Drafter::Drafter(std::unique_ptr<DraftSource> source) {
  guessers_.emplace_back(std::move(source));
}

void Drafter::follow(std::span<const TokenId> tokens) {
  for (Guesser& guesser : guessers_) guesser.follow(tokens);
}

void Drafter::push(TokenId token) {
  for (Guesser& guesser : guessers_) guesser.push(token);
}

std::span<const TokenId> Drafter::next(std::size_t most, std::size_t rows, const PassCosts& costs) {
  Promise best{static_cast<double>(rows) * kWorthIt, costs.of(rows)};
  for (Guesser& guesser : guessers_) guesser.improve(best, most, rows, costs);
  return best.guess;
}

void Drafter::Guesser::follow(std::span<const TokenId> tokens) {
  watched_size_ = came_ = 0;
  source_->follow(tokens);
}

void Drafter::Guesser::push(TokenId token) {
  source_->push(token);
  ++unasked_;
  if (came_ == watched_size_) return;
  const bool came = watched_[came_] == token;
  gains_.learn(trusts_[came_], came_, came);
  if (came) {
    ++came_;
  } else {
    watched_size_ = came_ = 0;
  }
}

void Drafter::Guesser::watch(const Guess& guess) noexcept {
  std::ranges::copy(guess.tokens, watched_.begin());
  watched_size_ = guess.tokens.size();
  came_ = 0;
  for (std::size_t i = 0; i < watched_size_; ++i) trusts_[i] = static_cast<std::uint8_t>(guess.trust_in(i));
}

// How many tokens to ask for, by what guesses of this source bring on the whole. One more than pay, so that it is seen
// whether that one would.
Drafter::Guesser::Plan Drafter::Guesser::plan(double otherwise, std::size_t most, std::size_t rows,
                                              const PassCosts& costs) {
  if (source_->seconds(1) == 0) return {most, 0};
  double tokens = static_cast<double>(rows), chance = 1;
  Plan best{0, 0};
  for (std::size_t n = 1; n <= most; ++n) {
    chance *= gains_.overall(n - 1);
    tokens += chance;
    const double rate = tokens / (costs.of(rows + n) + source_->seconds(n));
    if (rate > best.rate) best = {std::min(most, n + 1), rate};
  }
  if (best.rate > otherwise) {
    patience_ = kFirstPatience;
  } else if (unasked_ >= patience_) {
    patience_ = std::min(patience_ + patience_ / 4, kLongestPatience);
  } else {
    best.length = 0;
  }
  return best;
}

// Of a guess that took nothing as much is read as brings the most tokens a second. What another one took is spent,
// however little of it is read: such a pass would be a short one, and soon another guess had to be paid for. Of that
// one as much is read as brings the most tokens beside those that come in its time otherwise, at the rate of all that
// is said.
void Drafter::Guesser::improve(Promise& best, std::size_t most, std::size_t rows, const PassCosts& costs) {
  most = std::min(most, source_->longest());
  const Plan planned = plan(best.rate(), most, rows, costs);
  if (planned.length == 0) return;
  const Guess guess = source_->guess(planned.length);
  if (guess.tokens.empty()) return;
  unasked_ = 0;
  if (came_ == watched_size_) watch(guess);
  gains_.count(guess);
  const bool free = source_->seconds(1) == 0;
  const double otherwise = std::max(best.rate(), planned.rate);
  double tokens = static_cast<double>(rows), chance = 1;
  for (std::size_t n = 1; n <= std::min(most, guess.tokens.size()); ++n) {
    chance *= gains_.chance(guess.trust_in(n - 1), n - 1);
    tokens += chance;
    const Promise now{tokens, costs.of(rows + n), guess.tokens.first(n)};
    if (free ? now.rate() > best.rate() : now.gain(otherwise) > best.gain(otherwise)) best = now;
  }
}

}  // namespace lfm::engine
