#include "engine/generate/penalties.h"

#include <algorithm>

namespace lfm::engine {

Penalties::Penalties(const SamplingOptions& options, std::size_t vocabulary, std::size_t room)
    : repetition_(options.repetition_penalty),
      presence_(options.presence_penalty),
      frequency_(options.frequency_penalty) {
  if (repetition_ == 1 && presence_ == 0 && frequency_ == 0) return;
  counts_.resize(vocabulary);
  place_.resize(vocabulary);
  distinct_.reserve(vocabulary);
  if (options.penalty_window < room) window_.resize(options.penalty_window);
}

void Penalties::accept(TokenId id) noexcept {
  if (!on()) return;
  if (!window_.empty()) {
    if (filled_ == window_.size()) {
      leave(window_[next_]);
    } else {
      ++filled_;
    }
    window_[next_] = id;
    next_ = next_ + 1 == window_.size() ? 0 : next_ + 1;
  }
  const auto i = static_cast<std::size_t>(id);
  if (counts_[i]++ > 0) return;
  place_[i] = static_cast<std::uint32_t>(distinct_.size());
  distinct_.push_back(id);
}

void Penalties::leave(TokenId id) noexcept {
  const auto i = static_cast<std::size_t>(id);
  if (--counts_[i] > 0) return;
  const TokenId last = distinct_.back();
  distinct_[place_[i]] = last;
  place_[static_cast<std::size_t>(last)] = place_[i];
  distinct_.pop_back();
}

void Penalties::clear() noexcept {
  for (const TokenId id : distinct_) counts_[static_cast<std::size_t>(id)] = 0;
  distinct_.clear();
  next_ = filled_ = 0;
}

void Penalties::apply(std::span<float> logits) const noexcept {
  for (const TokenId id : distinct_) {
    const auto i = static_cast<std::size_t>(id);
    float& logit = logits[i];
    logit = logit > 0 ? logit / repetition_ : logit * repetition_;
    logit -= presence_ + static_cast<float>(counts_[i]) * frequency_;
  }
}

}  // namespace lfm::engine
