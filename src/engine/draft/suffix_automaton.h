// All beginnings, endings and middles of a text that grows: where its ending has stood before.
//
// The suffix automaton of Blumer et al. (1985), built online: the smallest automaton that takes all substrings of the
// text, at most 2 states and 3 edges a token. The state of the whole text links to that of its longest ending that
// stands elsewhere too, which is what is asked for. A token costs constant time on average, and about 120 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lfm/types.h"

namespace lfm::engine {

class SuffixAutomaton {
 public:
  SuffixAutomaton() { clear(); }

  void push(TokenId token);
  void clear() noexcept;
  std::size_t size() const noexcept { return size_; }

  // Whether an exception left a push() half done: it is good for clear() alone.
  bool broken() const noexcept { return broken_; }

  // The text's longest ending that stands in it earlier too, maybe overlapping: its tokens, and how many there are
  // before the end of an earlier place. That is the latest one, unless many shorter endings moved on since. 0: none.
  struct Match {
    std::size_t length = 0;
    std::size_t end = 0;
  };
  Match match() const noexcept { return match_; }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};

  struct State {
    Index length;  // of its longest string
    Index link;    // to the state of the longest ending of that which is another state's
    Index end;     // where a string of it ends: before this token
    Index edges;   // the first, or kNone
  };
  struct Edge {
    Index from;
    TokenId token;
    Index to;
    Index next;  // of the same state
  };

  Index find(Index state, TokenId token) const noexcept;  // an edge, or kNone
  void add_edge(Index from, TokenId token, Index to);
  Index clone(Index state, Index length);
  void grow_table();
  std::size_t slot_of(Index state, TokenId token) const noexcept;

  std::vector<State> states_;
  std::vector<Edge> edges_;
  std::vector<Index> table_;  // edges by state and token: open addressing, a power of two
  Index last_ = 0;            // the state of the whole text
  Index size_ = 0;
  Match match_;
  bool broken_ = false;
};

}  // namespace lfm::engine
