// A constraint on a generation's way: which of the next tokens it leaves, by where the answer is.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "chat/structure.h"
#include "constrain/compiled.h"
#include "constrain/matcher.h"
#include "engine/generate/mask.h"
#include "lfm/result.h"
#include "lfm/types.h"
#include "text/tokenizer.h"

namespace lfm::engine {

// Phases are told by tokens, never by text. While the model thinks all tokens may come but those that end the answer or
// begin a call. With calls there are free text, calls, and what comes behind them.
class Constrained {
 public:
  // kUnsupported: calls with a vocabulary that has no tokens for them. `compiled` and `tokenizer` outlive it.
  static Result<Constrained> create(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie);

  // The answer so far; `may_think` where thinking may begin now.
  Status narrow(Mask& mask, bool thinking, bool may_think);

  // A token of the answer, be it the caller's choice or what a session holds of it already. kState where it isn't one
  // that the constraint allows.
  Status accept(TokenId token);

 private:
  enum class Phase : std::uint8_t { kText, kFree, kBeforeCalls, kCalls, kAfterCalls };

  Constrained(const constrain::Compiled& compiled, std::shared_ptr<const constrain::TokenTrie> trie);
  void begin_calls();

  const constrain::Compiled& compiled_;
  std::shared_ptr<const constrain::TokenTrie> trie_;
  std::shared_ptr<constrain::LexemeMasks> masks_;
  chat::Structure structure_;
  Phase phase_;
  std::unique_ptr<constrain::Matcher> matcher_;
  constrain::TokenMask allowed_;
};

}  // namespace lfm::engine
