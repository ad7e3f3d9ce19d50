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
  Promise best{static_cast<double>(rows) / costs.of(rows) * kWorthIt, {}};
  for (Guesser& guesser : guessers_) guesser.improve(best, most, rows, costs);
  return best.tokens;
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

// How many tokens to ask for, by what its guesses bring on the whole, its own time included; 0: it isn't worth that.
// One more than pay, so that it is seen whether that one would.
std::size_t Drafter::Guesser::worth_asking(double rate, std::size_t most, std::size_t rows,
                                           const PassCosts& costs) const noexcept {
  if (source_->seconds(1) == 0) return most;
  double tokens = static_cast<double>(rows), chance = 1;
  double best = unasked_ >= kUnasked ? 0 : rate;
  std::size_t length = 0;
  for (std::size_t n = 1; n <= most; ++n) {
    chance *= gains_.overall(n - 1);
    tokens += chance;
    const double now = tokens / (costs.of(rows + n) + source_->seconds(n));
    if (now <= best) continue;
    best = now;
    length = n;
  }
  return length == 0 ? 0 : std::min(most, length + 1);
}

void Drafter::Guesser::improve(Promise& best, std::size_t most, std::size_t rows, const PassCosts& costs) {
  most = std::min(most, source_->longest());
  const std::size_t wanted = worth_asking(best.rate, most, rows, costs);
  if (wanted == 0) return;
  const Guess guess = source_->guess(wanted);
  if (guess.tokens.empty()) return;
  unasked_ = 0;
  if (came_ == watched_size_) watch(guess);
  double tokens = static_cast<double>(rows), chance = 1;
  for (std::size_t n = 1; n <= std::min(most, guess.tokens.size()); ++n) {
    chance *= gains_.chance(guess.trust_in(n - 1), n - 1);
    tokens += chance;
    const double rate = tokens / costs.of(rows + n);
    if (rate > best.rate) best = {rate, guess.tokens.first(n)};
  }
}

}  // namespace lfm::engine
