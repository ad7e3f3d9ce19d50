#include "engine/generate/constrained.h"

#include <utility>

#include "base/try.h"

namespace lfm::engine {

using constrain::Scope;
using text::Vocabulary;

Constrained::Constrained(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie)
    : compiled_(compiled),
      trie_(std::move(trie)),
      structure_(trie_->tokenizer()),
      phase_(compiled.scope() == Scope::kAnswer || compiled.scope() == Scope::kEither ? Phase::kText
             : compiled.scope() == Scope::kOnlyCalls                                  ? Phase::kBeforeCalls
                                                                                      : Phase::kFree),
      allowed_(trie_->tokens()) {
  if (phase_ == Phase::kText) begin(compiled.answer());
}

Result<Constrained> Constrained::create(const constrain::Compiled& compiled,
                                        std::shared_ptr<const constrain::TokenTrie> trie) {
  Constrained constrained(compiled, std::move(trie));
  const bool calls = compiled.scope() != Scope::kAnswer && compiled.scope() != Scope::kNoCalls;
  if (calls && constrained.structure_.call_start == Vocabulary::kNone) {
    return Error{ErrorCode::kUnsupported, "the model's vocabulary has no tokens for calls", "constraint"};
  }
  LFM_TRY(constrained.look_ahead({}));
  return constrained;
}

void Constrained::begin(const constrain::Compiled& what) {
  masks_ = what.masks(trie_);
  matcher_ = std::make_unique<constrain::Matcher>(what.grammar(), masks_.get(), trie_.get());
}

bool Constrained::may_call() const noexcept {
  return compiled_.scope() != Scope::kNoCalls && !(compiled_.single() && called_);
}

void Constrained::narrow_free(Mask& mask) const {
  if (structure_.call_start != Vocabulary::kNone) {
    mask.take_out({&structure_.call_end, 1});
    if (!may_call()) mask.take_out({&structure_.call_start, 1});
  }
  if (compiled_.scope() == Scope::kRequiredCalls && !called_) mask.take_out(trie_->tokenizer().end_tokens());
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
    case Phase::kFree:
      narrow_free(mask);
      return {};
    case Phase::kBeforeCalls:
      add(structure_.call_start);
      break;
    case Phase::kAfterCalls:
      for (const TokenId end : tokenizer.end_tokens()) add(end);
      break;
    case Phase::kText:
    case Phase::kCalls:
      LFM_TRY(matcher_->mask(allowed_));
      if (may_still_call()) add(structure_.call_start);
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
  LFM_TRY(follow(token));
  if (taken_ < forced_.size() && forced_[taken_] == token && ++taken_ < forced_.size()) return {};
  return look_ahead(trie_->is_text(token) ? trie_->bytes(token) : std::string_view());
}

// Works out what is forced behind a text: as the tokenizer writes both, if it writes that text as it is. The end of what
// is forced may go on in tokens that begin earlier; those are the model's choice.
Status Constrained::look_ahead(std::string_view last) {
  forced_.clear();
  taken_ = 0;
  if ((phase_ != Phase::kText && phase_ != Phase::kCalls) || may_still_call()) return {};
  LFM_ASSIGN(const std::string text, matcher_->forced());
  if (text.empty()) return {};
  std::vector<TokenId> tokens;
  LFM_TRY(trie_->tokenizer().encode(std::string(last) + text, {.added_tokens = text::AddedTokens::kNone}, tokens));
  std::size_t at = 0;
  for (const TokenId token : tokens) {
    const std::string_view bytes = trie_->bytes(token);
    const bool begins = at >= last.size();
    if (!begins && at + bytes.size() > last.size()) return {};
    if (begins) {
      if (!trie_->is_text(token) || trie_->goes_beyond(std::string_view(text).substr(at - last.size()))) return {};
      forced_.push_back(token);
    } else if (bytes.size() != last.size()) {
      return {};
    }
    at += bytes.size();
  }
  return {};
}

Status Constrained::follow(TokenId token) {
  const auto refused = [] { return Error{ErrorCode::kState, "the answer so far isn't one that the constraint allows", "constraint"}; };
  const text::Tokenizer& tokenizer = trie_->tokenizer();
  const bool may_begin = may_still_call();
  begun_ = true;
  if (phase_ == Phase::kFree || phase_ == Phase::kBeforeCalls || may_begin) {
    if (token == structure_.call_start && token != Vocabulary::kNone) {
      if (!may_call()) return refused();
      phase_ = Phase::kCalls;
      begin(compiled_.calls());
      return {};
    }
  }
  if (phase_ == Phase::kFree || phase_ == Phase::kBeforeCalls) {
    if (phase_ == Phase::kBeforeCalls) return refused();
    return {};
  }
  if (phase_ == Phase::kCalls && token == structure_.call_end && matcher_->is_complete()) {
    const bool nothing_else = compiled_.scope() == Scope::kOnlyCalls || compiled_.scope() == Scope::kEither;
    phase_ = nothing_else ? Phase::kAfterCalls : Phase::kFree;
    called_ = true;
    return {};
  }
  if (tokenizer.ends_generation(token) && (phase_ == Phase::kAfterCalls || matcher_->is_complete())) return {};
  if (phase_ == Phase::kAfterCalls || !trie_->is_text(token)) return refused();
  LFM_ASSIGN(const bool accepted, matcher_->accept(trie_->bytes(token)));
  if (!accepted) return refused();
  return {};
}

}  // namespace lfm::engine
