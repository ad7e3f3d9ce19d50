#include "engine/generate/thinking_limit.h"

#include "base/try.h"

namespace lfm::engine {

Result<ThinkingLimit> ThinkingLimit::create(const text::Tokenizer& tokenizer, std::optional<std::size_t> budget) {
  ThinkingLimit limit;
  if (!budget) return limit;
  limit.budget_ = budget;
  const chat::Structure structure(tokenizer);
  if (structure.think_end != text::Vocabulary::kNone) {
    limit.end_.push_back(structure.think_end);
    limit.forbidden_.push_back(structure.think_start);
    limit.beginnings_ = 1;
  } else {
    LFM_ASSIGN(limit.end_, tokenizer.encode(chat::kThinkEnd, {.added_tokens = text::AddedTokens::kNone}));
  }
  const auto ends = tokenizer.end_tokens();
  limit.forbidden_.insert(limit.forbidden_.end(), ends.begin(), ends.end());
  return limit;
}

std::optional<TokenId> ThinkingLimit::forced(const chat::AnswerReader& answer) noexcept {
  if (said_ == 0) {
    // The tag that begins it counts as a token of thinking there.
    if (!budget_ || !answer.thinking() || answer.thinking_tokens() <= *budget_) return std::nullopt;
    reached_ = true;
  }
  const TokenId token = end_[said_++];
  if (said_ == end_.size()) said_ = 0;
  return token;
}

std::span<const TokenId> ThinkingLimit::forbidden(const chat::AnswerReader& answer,
                                                  const Finish& so_far) const noexcept {
  const std::span<const TokenId> all(forbidden_);
  if (!reached_) return {};
  return so_far.empty() && !answer.in_call() ? all : all.first(beginnings_);
}

}  // namespace lfm::engine
