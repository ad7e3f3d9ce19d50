#include "engine/draft/model_source.h"

#include <algorithm>

namespace lfm::engine {
namespace {

constexpr double kRecentGuesses = 8;  // guesses that the mean of their time is of

// A guess of n tokens takes about as long as so many and n: reading the weights, and computing with them.
constexpr double kAlways = 4;

// From which confidence on a token has each trust: finer where a long guess depends on it.
constexpr std::array<float, DraftSource::kTrusts> kByConfidence = {0, 0.3f, 0.5f, 0.65f, 0.8f, 0.9f, 0.95f, 0.98f};
static_assert(model::DraftConfig::kMaxBlock <= DraftSource::kLongest);

}  // namespace

void ModelSource::follow(std::span<const TokenId> tokens) {
  said_ = tokens.size();
  if (!tokens.empty()) last_ = tokens.back();
}

void ModelSource::push(TokenId token) {
  last_ = token;
  ++said_;
}

Guess ModelSource::guess(std::size_t most) {
  if (said_ != line_.tokens.size() + 1) return {};  // it can't skip what the network hasn't read
  most = std::min(most, room_ - line_.tokens.size());
  const auto guessed = model_.runtime->guess(line_.state, last_, most, guessed_);
  if (!guessed.ok() || guessed->tokens.empty()) return {};  // no memory for a guess is no reason to end
  const double each = guessed->seconds / (kAlways + static_cast<double>(guessed_.size()));
  seconds_ += (each - seconds_) / (seconds_ == 0 ? 1 : kRecentGuesses);
  for (std::size_t i = 0; i < guessed_.size(); ++i) {
    const auto above = std::ranges::upper_bound(kByConfidence, guessed_[i].confidence);
    tokens_[i] = guessed_[i].token;
    trusts_[i] = static_cast<std::uint8_t>(above - kByConfidence.begin() - 1);
  }
  return {std::span(tokens_).first(guessed_.size()), 0, std::span(trusts_).first(guessed_.size())};
}

double ModelSource::seconds(std::size_t tokens) const noexcept {
  return seconds_ * (kAlways + static_cast<double>(tokens));
}

double ModelSource::expected(std::size_t trust) const noexcept {
  const float next = trust + 1 < kTrusts ? kByConfidence[trust + 1] : 1;
  return static_cast<double>((kByConfidence[trust] + next) / 2);
}

}  // namespace lfm::engine
