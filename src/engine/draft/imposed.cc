#include "engine/draft/imposed.h"

#include <cmath>

#include "engine/generate/random.h"

namespace lfm::engine {

Imposed::Imposed(std::unique_ptr<DraftSource> source, std::vector<TokenId> text, double chance)
    : source_(std::move(source)), text_(std::move(text)), chance_(chance) {
  const auto off = [&](std::uint8_t trust) { return std::fabs(source_->expected(trust) - chance_); };
  for (std::uint8_t trust = 1; trust < kTrusts; ++trust) {
    if (off(trust) < off(trust_)) trust_ = trust;
  }
}

void Imposed::follow(std::span<const TokenId> tokens) {
  said_ = tokens.size();
  source_->follow(tokens);
}

void Imposed::push(TokenId token) {
  ++said_;
  source_->push(token);
}

// Whether a token is right is drawn by its position, so that it doesn't depend on the guesses before.
Guess Imposed::guess(std::size_t most) {
  constexpr std::uint64_t kSeed = 1;
  const Guess theirs = source_->guess(most);
  for (std::size_t i = 0; i < theirs.tokens.size(); ++i) {
    const std::size_t at = said_ + i;
    tokens_[i] = theirs.tokens[i];
    trusts_[i] = static_cast<std::uint8_t>(theirs.trust_in(i));
    if (at >= text_.size()) continue;
    const bool right = random_uniform(kSeed, at) < chance_;
    tokens_[i] = right ? text_[at] : (text_[at] == 0 ? 1 : text_[at] - 1);
    trusts_[i] = trust_;
  }
  const std::size_t size = theirs.tokens.size();
  return {std::span(tokens_).first(size), 0, std::span(trusts_).first(size)};
}

}  // namespace lfm::engine
