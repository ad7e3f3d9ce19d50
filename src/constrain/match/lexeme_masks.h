// For states of a grammar's DFA: which tokens stay within the scalar or name that is being written, and where tokens
// leave it. Made when first asked for; kept where that took long.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "constrain/match/grammar.h"
#include "constrain/match/token_trie.h"

namespace lfm::constrain {

struct LexemeMask {
  TokenMask within = {};              // tokens after which something can still match, or has just matched
  std::vector<TokenId> closing = {};  // those of them with which it has
  TokenTrie::Exits exits = {};
};

class LexemeMasks {
 public:
  LexemeMasks(Grammar& grammar, const TokenTrie& trie) : grammar_(grammar), trie_(trie) {}

  // Valid until the next call.
  const LexemeMask& of(Dfa::State state);

 private:
  class Builder;
  const TokenTrie::Text* counted(const RegexPool::Counted& counted);

  Grammar& grammar_;
  const TokenTrie& trie_;
  std::unordered_map<Dfa::State, std::unique_ptr<LexemeMask>> kept_;
  std::unordered_map<RegexId, std::unique_ptr<const TokenTrie::Text>>
      texts_;  // by the state from which any number come
  LexemeMask last_;
};

}  // namespace lfm::constrain
