#include "engine/draft/lookup.h"

#include <algorithm>

namespace lfm::engine {
namespace {

// From how many tokens of a match on a guess has each trust, and what is expected of it.
struct Trust {
  std::size_t match;
  double expected;
};
constexpr std::array<Trust, DraftSource::kTrusts> kByMatch = {
    {{3, 0.5}, {4, 0.55}, {6, 0.6}, {8, 0.7}, {12, 0.8}, {16, 0.85}, {24, 0.9}, {40, 0.95}}};
static_assert(kByMatch[0].match == Lookup::kShortest);

}  // namespace

void Lookup::follow(std::span<const TokenId> tokens) {
  if (automaton_.broken() || automaton_.size() != text_.size() || text_.size() > tokens.size() ||
      !std::equal(text_.begin(), text_.end(), tokens.begin())) {
    automaton_.clear();
    text_.clear();
  }
  for (const TokenId token : tokens.subspan(text_.size())) push(token);
}

void Lookup::push(TokenId token) {
  text_.push_back(token);
  automaton_.push(token);
}

Guess Lookup::guess(std::size_t most) {
  const auto [length, end] = automaton_.match();
  if (length < kShortest) return {};
  const std::size_t period = text_.size() - end;
  for (std::size_t i = 0; i < kLongest; ++i) guess_[i] = text_[end + i % period];
  const auto above = std::ranges::upper_bound(kByMatch, length, {}, &Trust::match);
  return {std::span(guess_).first(std::min(most, kLongest)), static_cast<std::size_t>(above - kByMatch.begin()) - 1};
}

double Lookup::expected(std::size_t trust) const noexcept {
  return kByMatch[trust].expected;
}

}  // namespace lfm::engine
