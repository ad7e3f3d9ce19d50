#include "engine/draft/suffix_automaton.h"

#include "text/hash.h"

namespace lfm::engine {
namespace {

// Endings whose latest place is kept up to date with each token: there are as many as tokens where a text says one
// thing over and over.
constexpr int kMostMoved = 32;
constexpr std::size_t kFirstTable = 64;

}  // namespace

void SuffixAutomaton::clear() noexcept {
  states_.clear();
  edges_.clear();
  table_.clear();
  last_ = size_ = 0;
  match_ = {};
  broken_ = false;
}

std::size_t SuffixAutomaton::slot_of(Index state, TokenId token) const noexcept {
  const std::uint64_t key = std::uint64_t{state} << 32 | static_cast<std::uint32_t>(token);
  return static_cast<std::size_t>(text::mix_bits(key)) & (table_.size() - 1);
}

SuffixAutomaton::Index SuffixAutomaton::find(Index state, TokenId token) const noexcept {
  if (table_.empty()) return kNone;
  for (std::size_t slot = slot_of(state, token); table_[slot] != kNone; slot = (slot + 1) & (table_.size() - 1)) {
    const Edge& edge = edges_[table_[slot]];
    if (edge.from == state && edge.token == token) return table_[slot];
  }
  return kNone;
}

void SuffixAutomaton::grow_table() {
  table_.assign(table_.empty() ? kFirstTable : 2 * table_.size(), kNone);
  for (Index i = 0; i < edges_.size(); ++i) {
    std::size_t slot = slot_of(edges_[i].from, edges_[i].token);
    while (table_[slot] != kNone) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = i;
  }
}

void SuffixAutomaton::add_edge(Index from, TokenId token, Index to) {
  if (4 * (edges_.size() + 1) > 3 * table_.size()) grow_table();
  std::size_t slot = slot_of(from, token);
  while (table_[slot] != kNone) slot = (slot + 1) & (table_.size() - 1);
  edges_.push_back({from, token, to, states_[from].edges});
  table_[slot] = states_[from].edges = static_cast<Index>(edges_.size() - 1);
}

// A state of the shorter strings of another one, with its edges.
SuffixAutomaton::Index SuffixAutomaton::clone(Index state, Index length) {
  const auto copy = static_cast<Index>(states_.size());
  states_.push_back({length, states_[state].link, states_[state].end, kNone});
  for (Index i = states_[state].edges; i != kNone; i = edges_[i].next) {
    add_edge(copy, edges_[i].token, edges_[i].to);
  }
  states_[state].link = copy;
  return copy;
}

void SuffixAutomaton::push(TokenId token) {
  broken_ = true;
  if (states_.empty()) states_.push_back({0, kNone, 0, kNone});
  const auto now = static_cast<Index>(states_.size());
  states_.push_back({size_ + 1, 0, size_ + 1, kNone});
  Index at = last_, edge = kNone;
  for (; at != kNone && (edge = find(at, token)) == kNone; at = states_[at].link) add_edge(at, token, now);
  Index link = 0;
  if (at != kNone) {
    link = edges_[edge].to;
    if (const Index length = states_[at].length + 1; length != states_[link].length) {
      const Index longer = link;
      link = clone(longer, length);
      for (; at != kNone && (edge = find(at, token)) != kNone && edges_[edge].to == longer; at = states_[at].link) {
        edges_[edge].to = link;
      }
    }
  }
  states_[now].link = link;
  last_ = now;
  ++size_;
  match_ = {states_[link].length, states_[link].end};
  int moved = 0;
  for (Index ending = link; ending != 0 && moved < kMostMoved; ending = states_[ending].link, ++moved) {
    states_[ending].end = size_;
  }
  broken_ = false;
}

}  // namespace lfm::engine
