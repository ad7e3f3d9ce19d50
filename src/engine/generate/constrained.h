// A constraint on a generation's way: which of the next tokens it leaves, by where the answer is.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/structure.h"
#include "constrain/compiled.h"
#include "constrain/match/matcher.h"
#include "engine/generate/mask.h"
#include "lfm/result.h"
#include "lfm/types.h"
#include "text/tokenizer.h"

namespace lfm::engine {

// Phases are told by tokens, never by text. While the model thinks all tokens may come but those that end the answer or
// begin a call. With calls there are free text, calls, and what comes behind them.
//
// Where the text has no choice, it comes as the tokenizer writes it and the model isn't asked: that is a property of the
// answer so far, so that it is the same wherever a generation is cut, and may be read in one pass.
class Constrained {
 public:
  // kUnsupported: calls with a vocabulary that has no tokens for them. `compiled` and `tokenizer` outlive it.
  static Result<Constrained> create(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie);

  // The answer so far; `may_think` where thinking may begin now.
  Status narrow(Mask& mask, bool thinking, bool may_think);

  // A token of the answer, be it the caller's choice or what a session holds of it already. kState where it isn't one
  // that the constraint allows.
  Status accept(TokenId token);

  // The tokens that come next where that is certain, if no thinking begins. Valid until the next accept().
  std::span<const TokenId> forced() const noexcept { return std::span(forced_).subspan(taken_); }

 private:
  enum class Phase : std::uint8_t {
    kText,         // the grammar's; where calls may be all there is, its first token may begin them
    kFree,         // any text, and calls where some may come
    kBeforeCalls,  // calls have to come
    kCalls,
    kAfterCalls,  // the answer has to end
  };

  Constrained(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie);
  void begin(const constrain::Compiled& what);
  bool may_still_call() const noexcept { return compiled_.scope() == constrain::Scope::kEither && !begun_; }
  void narrow_free(Mask& mask) const;
  bool may_call() const noexcept;
  Status follow(TokenId token);
  Status look_ahead(std::string_view last);

  const constrain::Compiled& compiled_;
  std::shared_ptr<const constrain::TokenTrie> trie_;
  std::shared_ptr<constrain::LexemeMasks> masks_;
  chat::Structure structure_;
  Phase phase_;
  std::unique_ptr<constrain::Matcher> matcher_;
  constrain::TokenMask allowed_;
  bool begun_ = false;   // the answer has, behind its thinking
  bool called_ = false;  // some calls have been made
  std::vector<TokenId> forced_;
  std::size_t taken_ = 0;  // of them
};

}  // namespace lfm::engine
