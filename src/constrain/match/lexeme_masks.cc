#include "constrain/match/lexeme_masks.h"

#include <algorithm>
#include <iterator>

namespace lfm::constrain {
namespace {

constexpr std::size_t kKeptNodes = 256;  // of the tree, that have to be looked at for a mask to be kept
constexpr std::size_t kMaxKept = 512;
constexpr std::size_t kMaxTexts = 16;

}  // namespace

class LexemeMasks::Builder {
 public:
  Builder(Grammar& grammar, const TokenTrie& trie, LexemeMask& out)
      : dfa_(grammar.dfa), grammar_(grammar), trie_(trie), out_(out) {}

  std::size_t visited() const noexcept { return visited_; }

  // What tokens do among characters that are counted is known, and so many of them have to come.
  void build(const TokenTrie::Text& text, std::uint32_t min, std::uint32_t max) {
    out_ = LexemeMask{.within = TokenMask(trie_.tokens())};
    text.add_at_most(max, out_.within);
    const auto is_right = [&](std::uint32_t chars) { return chars >= min && chars <= max; };
    for (const auto& [token, chars] : text.closing) {
      if (!is_right(chars)) continue;
      out_.within.set(token);
      out_.closing.push_back(token);
    }
    for (std::size_t group = 0; group < text.exits.size(); ++group) {
      std::copy_if(text.exits[group].begin(), text.exits[group].end(), std::back_inserter(out_.exits[group]),
                   [&](const TokenTrie::Exit& exit) { return is_right(exit.chars); });
    }
  }

  void build(Dfa::State state) {
    out_ = LexemeMask{.within = TokenMask(trie_.tokens())};
    for (std::size_t s = 0; s < grammar_.text_states.size(); ++s) {
      if (agree(state, grammar_.text_states[s]) < 128) continue;
      // Nearly that of any text: where the states differ is what has to be looked at.
      const TokenTrie::Text& text = trie_.text(grammar_.notation.spellings[s]);
      out_.within = text.all;
      correct(TokenTrie::kRoot, state, grammar_.text_states[s]);
      take_text(text);
      return;
    }
    walk(TokenTrie::kRoot, state);
  }

 private:
  // Bytes after which both are in the same state, a live one.
  int agree(Dfa::State a, Dfa::State b) {
    int count = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const Dfa::State next = dfa_.next(a, static_cast<unsigned char>(byte));
      count += next != Dfa::kDead && next == dfa_.next(b, static_cast<unsigned char>(byte)) ? 1 : 0;
    }
    return count;
  }

  void take(TokenTrie::NodeIndex node, Dfa::State state) {
    const TokenTrie::Node& at = trie_.at(node);
    if (at.token >= 0) out_.within.set(at.token);
    if (!dfa_.accepts(state)) return;
    if (at.token >= 0) out_.closing.push_back(at.token);
    if (!at.has_children) return;
    for (TokenTrie::NodeIndex child = node + 1; child < at.end; child = trie_.at(child).end) {
      const auto group = TokenTrie::kFollowing.find(static_cast<char>(trie_.at(child).byte));
      if (group != std::string_view::npos) out_.exits[group].push_back({node, child, 0});
    }
  }

  // Without recursion, which takes twice as long.
  void walk(TokenTrie::NodeIndex node, Dfa::State state) {
    const TokenTrie::NodeIndex end = trie_.at(node).end;
    states_[trie_.at(node).depth] = state;
    for (TokenTrie::NodeIndex child = node + 1; child < end;) {
      const TokenTrie::Node& at = trie_.at(child);
      ++visited_;
      const Dfa::State next = dfa_.next(states_[at.depth - 1u], at.byte);
      if (next == Dfa::kDead) {
        child = at.end;
        continue;
      }
      states_[at.depth] = next;
      take(child, next);
      ++child;
    }
  }

  void correct(TokenTrie::NodeIndex node, Dfa::State state, Dfa::State text) {
    for (TokenTrie::NodeIndex child = node + 1; child < trie_.at(node).end; child = trie_.at(child).end) {
      ++visited_;
      const Dfa::State next = dfa_.next(state, trie_.at(child).byte);
      const Dfa::State text_next = dfa_.next(text, trie_.at(child).byte);
      if (next == text_next) continue;
      const bool apart = next == Dfa::kDead || text_next == Dfa::kDead;
      forget(child, apart ? trie_.at(child).end : child + 1);
      if (next == Dfa::kDead) continue;
      take(child, next);
      apart ? walk(child, next) : correct(child, next, text_next);
    }
  }

  // What the text's mask says of these nodes doesn't count.
  void forget(TokenTrie::NodeIndex first, TokenTrie::NodeIndex end) {
    corrected_.emplace_back(first, end);
    for (TokenTrie::NodeIndex i = first; i < end; ++i)
      if (trie_.at(i).token >= 0) out_.within.clear(trie_.at(i).token);
    visited_ += end - first;
  }

  bool is_corrected(TokenTrie::NodeIndex node) const {
    auto range = std::upper_bound(corrected_.begin(), corrected_.end(), std::make_pair(node, ~TokenTrie::NodeIndex{0}));
    return range != corrected_.begin() && node < (--range)->second;
  }

  // Ends and exits of the text's, but for the nodes that were looked at. The mask has been seen to.
  void take_text(const TokenTrie::Text& text) {
    TokenMask own(trie_.tokens());
    for (const TokenId token : out_.closing) own.set(token);
    for (const auto& [token, chars] : text.closing) {
      if (out_.within.test(token) && !own.test(token)) out_.closing.push_back(token);
    }
    for (std::size_t group = 0; group < text.exits.size(); ++group) {
      for (const TokenTrie::Exit& exit : text.exits[group]) {
        if (!is_corrected(exit.parent)) out_.exits[group].push_back(exit);
      }
    }
  }

  Dfa& dfa_;
  Grammar& grammar_;
  const TokenTrie& trie_;
  LexemeMask& out_;
  std::vector<std::pair<TokenTrie::NodeIndex, TokenTrie::NodeIndex>> corrected_;
  std::size_t visited_ = 0;
  std::vector<Dfa::State> states_ =
      std::vector<Dfa::State>(text::Vocabulary::kMaxTokenBytes + 1);  // of the walk, by depth
};

// Null where the expression isn't one whose characters are alone with what follows them.
const TokenTrie::Text* LexemeMasks::counted(const RegexPool::Counted& counted) {
  Dfa& dfa = grammar_.dfa;
  RegexPool& pool = dfa.pool();
  const bool quoted = std::any_of(
      grammar_.notation.spellings.begin(), grammar_.notation.spellings.end(),
      [&](const Spelling& spelling) { return counted.rest == pool.byte(static_cast<unsigned char>(spelling.quote)); });
  if (!quoted) return nullptr;
  const RegexId any = pool.concat(pool.star(counted.character), counted.rest);
  auto found = texts_.find(any);
  if (found == texts_.end()) {
    if (texts_.size() >= kMaxTexts) return nullptr;
    found = texts_.emplace(any, std::make_unique<const TokenTrie::Text>(trie_.text(dfa, dfa.start(any)))).first;
  }
  return found->second.get();
}

const LexemeMask& LexemeMasks::of(Dfa::State state) {
  if (const auto kept = kept_.find(state); kept != kept_.end()) return *kept->second;
  Builder builder(grammar_, trie_, last_);
  if (const auto counted = grammar_.dfa.pool().counted(grammar_.dfa.regex(state))) {
    if (const TokenTrie::Text* text = this->counted(*counted)) {
      builder.build(*text, counted->min, counted->max);
      return last_;
    }
  }
  builder.build(state);
  if (builder.visited() < kKeptNodes || kept_.size() >= kMaxKept) return last_;
  return *kept_.emplace(state, std::make_unique<LexemeMask>(std::move(last_))).first->second;
}

}  // namespace lfm::constrain
