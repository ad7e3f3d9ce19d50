// Drafts from the session itself: what came where its last tokens stood before.
#pragma once

#include <array>
#include <vector>

#include "engine/draft/source.h"
#include "engine/draft/suffix_automaton.h"

namespace lfm::engine {

// The longest ending that stands elsewhere counts, if it has 3 tokens; the longer it is, the more the guess is trusted.
// Where its earlier place reaches up to the end, what lies between is said over and over.
class Lookup : public DraftSource {
 public:
  static constexpr std::size_t kShortest = 3;  // tokens of a match

  void follow(std::span<const TokenId> tokens) override;
  void push(TokenId token) override;
  Guess guess(std::size_t most) override;
  double expected(std::size_t trust) const noexcept override;

 private:
  std::vector<TokenId> text_;
  SuffixAutomaton automaton_;  // of it
  std::array<TokenId, kLongest> guess_;
};

}  // namespace lfm::engine
