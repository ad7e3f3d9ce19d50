// What a Constraint holds, and what it shares between generations.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "constrain/match/grammar.h"
#include "constrain/match/lexeme_masks.h"
#include "constrain/match/token_trie.h"

namespace lfm::constrain {

enum class Scope : std::uint8_t {
  kAnswer,         // all of the answer's text
  kCalls,          // what stands between the tokens of calls, wherever the model begins some
  kRequiredCalls,  // likewise, and there have to be some
  kOnlyCalls,      // calls are all that the answer is
  kNoCalls,        // anything but calls
  kEither,         // calls and nothing else, or an answer without any
};

class Compiled {
 public:
  Compiled(std::shared_ptr<Grammar> grammar, Scope scope, bool single = false)
      : grammar_(std::move(grammar)), scope_(scope), single_(single) {}
  // kEither: `calls` has kCalls, `answer` kAnswer.
  Compiled(std::shared_ptr<const Compiled> calls, std::shared_ptr<const Compiled> answer)
      : grammar_(calls->grammar_),
        scope_(Scope::kEither),
        single_(calls->single_),
        calls_(std::move(calls)),
        answer_(std::move(answer)) {}

  Grammar& grammar() const noexcept { return *grammar_; }  // kEither: of the calls
  const Compiled& calls() const noexcept { return calls_ ? *calls_ : *this; }
  const Compiled& answer() const noexcept { return answer_ ? *answer_ : *this; }
  Scope scope() const noexcept { return scope_; }
  bool single() const noexcept { return single_; }  // one call and no more

  // Masks for a vocabulary, kept from one generation to the next for the last few vocabularies.
  std::shared_ptr<LexemeMasks> masks(std::shared_ptr<const TokenTrie> trie) const;

 private:
  struct Entry {
    std::shared_ptr<const TokenTrie> trie;
    std::shared_ptr<LexemeMasks> masks;
  };

  std::shared_ptr<Grammar> grammar_;
  Scope scope_;
  bool single_;
  std::shared_ptr<const Compiled> calls_, answer_;  // kEither
  mutable std::mutex mutex_;
  mutable std::vector<Entry> entries_;
};

}  // namespace lfm::constrain
