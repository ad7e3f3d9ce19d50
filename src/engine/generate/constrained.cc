#include "engine/generate/constrained.h"

#include <utility>

#include "base/try.h"

namespace lfm::engine {

using constrain::Scope;
using text::Vocabulary;

Constrained::Constrained(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie)
    : compiled_(compiled),
      trie_(std::move(trie)),
      masks_(compiled.masks(trie_)),
      structure_(trie_->tokenizer()),
      phase_(compiled.scope() == Scope::kAnswer  ? Phase::kText
             : compiled.scope() == Scope::kCalls ? Phase::kFree
                                                 : Phase::kBeforeCalls),
      allowed_(trie_->tokens()) {
  if (phase_ == Phase::kText) begin_calls();
}

Result<Constrained> Constrained::create(const constrain::Compiled& compiled,
                                        std::shared_ptr<const constrain::TokenTrie> trie) {
  Constrained constrained(compiled, std::move(trie));
  if (compiled.scope() != Scope::kAnswer && constrained.structure_.call_start == Vocabulary::kNone) {
    return Error{ErrorCode::kUnsupported, "the model's vocabulary has no tokens for calls", "constraint"};
  }
  return constrained;
}

void Constrained::begin_calls() {
  matcher_ = std::make_unique<constrain::Matcher>(compiled_.grammar(), masks_.get(), trie_.get());
}

Status Constrained::narrow(Mask& mask, bool thinking, bool may_think) {
  const text::Tokenizer& tokenizer = trie_->tokenizer();
  const auto add = [this](TokenId id) {
    if (id != Vocabulary::kNone) allowed_.set(id);
  };
  if (thinking) {
    mask.take_out(tokenizer.end_tokens());
    if (structure_.call_start != Vocabulary::kNone) mask.take_out({&structure_.call_start, 1});
    return {};
  }
  allowed_.clear_all();
  switch (phase_) {
    case Phase::kFree: {
      const TokenId never[] = {structure_.call_end};
      mask.take_out(never);
      return {};
    }
    case Phase::kBeforeCalls:
      add(structure_.call_start);
      break;
    case Phase::kAfterCalls:
      for (const TokenId end : tokenizer.end_tokens()) add(end);
      break;
    case Phase::kText:
    case Phase::kCalls:
      LFM_TRY(matcher_->mask(allowed_));
      if (!matcher_->is_complete()) break;
      if (phase_ == Phase::kCalls) {
        add(structure_.call_end);
      } else {
        for (const TokenId end : tokenizer.end_tokens()) add(end);
      }
      break;
  }
  if (may_think) add(structure_.think_start);
  mask.keep(allowed_.words());
  return {};
}

Status Constrained::accept(TokenId token) {
  const auto refused = [] { return Error{ErrorCode::kState, "the answer so far isn't one that the constraint allows", "constraint"}; };
  const text::Tokenizer& tokenizer = trie_->tokenizer();
  if (phase_ == Phase::kFree || phase_ == Phase::kBeforeCalls) {
    if (token == structure_.call_start) {
      phase_ = Phase::kCalls;
      begin_calls();
      return {};
    }
    if (phase_ == Phase::kBeforeCalls) return refused();
    return {};
  }
  if (phase_ == Phase::kCalls && token == structure_.call_end && matcher_->is_complete()) {
    phase_ = compiled_.scope() == Scope::kCalls && !compiled_.single() ? Phase::kFree : Phase::kAfterCalls;
    return {};
  }
  if (tokenizer.ends_generation(token) && (phase_ == Phase::kAfterCalls || matcher_->is_complete())) return {};
  if (phase_ == Phase::kAfterCalls || !trie_->is_text(token)) return refused();
  LFM_ASSIGN(const bool accepted, matcher_->accept(trie_->bytes(token)));
  if (!accepted) return refused();
  return {};
}

}  // namespace lfm::engine
