#include "engine/generate/logprobs.h"

#include <algorithm>
#include <string>

#include "engine/generate/exp_log.h"

namespace lfm::engine {

Result<Logprobs> Logprobs::create(std::optional<std::size_t> top, std::size_t vocabulary) {
  Logprobs made;
  if (!top) return made;
  if (*top > vocabulary) {
    return Error{ErrorCode::kArgument, "the vocabulary has " + std::to_string(vocabulary) + " tokens", "logprobs"};
  }
  made.wanted_ = true;
  made.top_.resize(*top);
  return made;
}

void Logprobs::read(std::span<const float> logits, TokenId chosen) noexcept {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) {
    const double x = static_cast<double>(logit) - max;
    if (x > kNegligible) sum += exponential(x);
  }
  const double log_sum = logarithm(sum);
  const auto logprob = [&](float logit) { return static_cast<float>(static_cast<double>(logit) - max - log_sum); };
  chosen_ = logprob(logits[static_cast<std::size_t>(chosen)]);
  if (top_.empty()) return;

  // A heap of the likeliest so far, the least of them in front.
  const auto likelier = [](const TokenLogprob& a, const TokenLogprob& b) {
    return a.logprob != b.logprob ? a.logprob > b.logprob : a.id < b.id;
  };
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const TokenLogprob next{static_cast<TokenId>(i), logits[i]};
    if (i < top_.size()) {
      top_[i] = next;
      if (i + 1 == top_.size()) std::make_heap(top_.begin(), top_.end(), likelier);
    } else if (likelier(next, top_.front())) {
      std::pop_heap(top_.begin(), top_.end(), likelier);
      top_.back() = next;
      std::push_heap(top_.begin(), top_.end(), likelier);
    }
  }
  std::sort_heap(top_.begin(), top_.end(), likelier);
  for (TokenLogprob& token : top_) token.logprob = logprob(token.logprob);
}

}  // namespace lfm::engine
