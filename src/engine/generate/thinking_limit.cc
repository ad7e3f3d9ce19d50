#include "engine/generate/thinking_limit.h"

#include "base/try.h"

namespace lfm::engine {
namespace {

// The tokens of the tag that is text, and from where they don't begin those of what is left of it.
Result<std::vector<TokenId>> next_tokens(const text::Tokenizer& tokenizer) {
  const text::EncodeOptions plain{.added_tokens = text::AddedTokens::kNone};
  std::vector<TokenId> next;
  for (std::size_t said = 0; said < chat::kThinkEnd.size(); ++said) {
    LFM_ASSIGN(const std::vector<TokenId> rest, tokenizer.encode(chat::kThinkEnd.substr(said), plain));
    next.push_back(rest.front());
  }
  LFM_ASSIGN(const std::vector<TokenId> whole, tokenizer.encode(chat::kThinkEnd, plain));
  std::size_t said = 0;
  for (const TokenId token : whole) {
    next[said] = token;
    said += tokenizer.piece(token).size();
  }
  return next;
}

}  // namespace

Result<ThinkingLimit> ThinkingLimit::create(const text::Tokenizer& tokenizer, std::optional<std::size_t> budget) {
  ThinkingLimit limit;
  if (!budget) return limit;
  limit.budget_ = budget;
  const chat::Structure structure(tokenizer);
  if (structure.think_end != text::Vocabulary::kNone) {
    limit.next_.push_back(structure.think_end);
    limit.forbidden_.push_back(structure.think_start);
    limit.beginnings_ = 1;
  } else {
    LFM_ASSIGN(limit.next_, next_tokens(tokenizer));
  }
  const auto ends = tokenizer.end_tokens();
  limit.forbidden_.insert(limit.forbidden_.end(), ends.begin(), ends.end());
  return limit;
}

// The tag that begins it counts as a token of thinking there, and the one that ends it.
bool ThinkingLimit::is_reached(const chat::AnswerReader& answer) const noexcept {
  const std::size_t within = answer.thinking() ? 0 : 1;
  return budget_ && answer.thinking_tokens() > *budget_ && answer.thinking_tokens() - *budget_ > within;
}

std::optional<TokenId> ThinkingLimit::forced(const chat::AnswerReader& answer) const noexcept {
  if (!answer.thinking() || !is_reached(answer)) return std::nullopt;
  return next_[answer.held_tag()];
}

std::span<const TokenId> ThinkingLimit::forbidden(const chat::AnswerReader& answer) const noexcept {
  const std::span<const TokenId> all(forbidden_);
  if (!is_reached(answer)) return {};
  return answer.silent() && !answer.in_call() ? all : all.first(beginnings_);
}

}  // namespace lfm::engine
