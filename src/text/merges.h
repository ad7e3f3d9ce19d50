// Byte-level BPE: which pairs of tokens join, and the joining.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace lfm::text {

// Immutable. 293,320 merges take 7.6 MB.
class Merges {
 public:
  static constexpr std::size_t kMaxMerges = std::size_t{1} << 22;

  // Buffers that one thread reuses from piece to piece. Grows to 24 bytes per byte of the longest piece.
  class Scratch {
    friend class Merges;
    struct Symbol {
      TokenId id;  // Vocabulary::kNone once it has become part of the symbol before it
      std::uint32_t before, after;
    };
    std::vector<Symbol> symbols_;
    std::vector<std::uint64_t> queue_;  // rank << 32 | position of the left symbol; the least is at the front
  };

  // kFormat: no merges, or one that isn't "left right", or whose left, right or joint text is no token, or that was
  // given before; the error's index is the merge's. kLimit: more than kMaxMerges. A merge of tokens that aren't
  // byte-level ones is kept out: the text of those is matched before BPE, so that the reference never gets to such a
  // merge either.
  static Result<Merges> create(const TokenizerData& data, const Vocabulary& vocabulary);

  // Appends the tokens of `piece`: its bytes, of which the pair of the best merge joins, the leftmost one first, until
  // no neighbours have a merge. O(n log n). Requires piece.size() < 2^32.
  void encode(std::string_view piece, const Vocabulary& vocabulary, Scratch& scratch, std::vector<TokenId>& out) const;

 private:
  static constexpr std::uint32_t kNoRank = ~std::uint32_t{0};

  struct Merge {
    TokenId left, right, joint;
  };

  std::size_t probe(TokenId left, TokenId right) const noexcept;
  std::uint32_t rank(TokenId left, TokenId right) const noexcept { return slots_[probe(left, right)]; }
  void enqueue(Scratch& scratch, std::uint32_t position) const;

  std::vector<Merge> merges_;         // by rank
  std::vector<std::uint32_t> slots_;  // open addressing from a pair to its rank
  std::uint64_t seed_ = 0;
};

}  // namespace lfm::text
