#include "constrain/match/token_trie.h"

#include <bit>

#include "constrain/regex/dfa.h"

namespace lfm::constrain {

bool TokenMask::empty() const noexcept {
  return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
}

std::size_t TokenMask::count() const noexcept {
  std::size_t sum = 0;
  for (const std::uint64_t word : words_) sum += static_cast<std::size_t>(std::popcount(word));
  return sum;
}

TokenTrie::TokenTrie(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  std::vector<TokenId> sorted;
  for (std::size_t i = 0; i < tokens(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (is_text(id)) sorted.push_back(id);
  }
  std::sort(sorted.begin(), sorted.end(), [this](TokenId a, TokenId b) { return bytes(a) < bytes(b); });
  nodes_.reserve(sorted.size() * 2);
  nodes_.push_back({0, -1, 0, !sorted.empty(), 0});
  add(sorted, 0);
  nodes_[kRoot].end = static_cast<NodeIndex>(nodes_.size());
}

// Adds the children of the node that stands for the first `depth` bytes of all of these. Tokens have at most 1024
// bytes, so the recursion ends.
void TokenTrie::add(std::span<const TokenId> sorted, std::size_t depth) {
  while (!sorted.empty()) {
    const std::string_view first = bytes(sorted[0]);
    if (first.size() == depth) {
      sorted = sorted.subspan(1);
      continue;
    }
    const char byte = first[depth];
    std::size_t same = 1;
    while (same < sorted.size() && bytes(sorted[same])[depth] == byte) ++same;
    const auto index = static_cast<NodeIndex>(nodes_.size());
    const TokenId token = first.size() == depth + 1 ? sorted[0] : -1;
    nodes_.push_back({0, token, static_cast<std::uint8_t>(byte), same > (token >= 0 ? 1u : 0u),
                      static_cast<std::uint16_t>(depth + 1)});
    add(sorted.subspan(0, same), depth + 1);
    nodes_[index].end = static_cast<NodeIndex>(nodes_.size());
    sorted = sorted.subspan(same);
  }
}

namespace {

// `within`: any number of characters and then what ends them.
class TextBuilder {
 public:
  TextBuilder(const TokenTrie& trie, Dfa& dfa, Dfa::State within, TokenTrie::Text& out)
      : trie_(trie), out_(out), dfa_(dfa), within_(within) {
    out_.all = TokenMask(trie.tokens());
  }

  void build() {
    walk(TokenTrie::kRoot, within_, 0);
    for (const auto& [token, chars] : inside_) out_.longest = std::max(out_.longest, chars);
    out_.up_to.assign(std::min(out_.longest, TokenTrie::Text::kCounted) + 1, TokenMask(trie_.tokens()));
    for (const auto& [token, chars] : inside_) {
      out_.up_to[std::min(chars, TokenTrie::Text::kCounted)].set(token);
      if (chars >= TokenTrie::Text::kCounted) out_.longer.emplace_back(token, chars);
    }
    for (std::size_t i = 1; i < out_.up_to.size(); ++i) out_.up_to[i].add(out_.up_to[i - 1]);
  }

 private:
  void walk(TokenTrie::NodeIndex node, Dfa::State state, std::uint32_t chars) {
    for (TokenTrie::NodeIndex child = node + 1; child < trie_.at(node).end; child = trie_.at(child).end) {
      const TokenTrie::Node& at = trie_.at(child);
      const Dfa::State next = dfa_.next(state, at.byte);
      if (next == Dfa::kDead) continue;
      if (at.token >= 0) out_.all.set(at.token);
      if (dfa_.accepts(next)) {
        if (at.token >= 0) out_.closing.emplace_back(at.token, chars);
        add_exits(trie_, child, chars, out_.exits);
        continue;
      }
      const std::uint32_t begun = chars + (state == within_ ? 1 : 0);
      if (at.token >= 0) inside_.emplace_back(at.token, begun);
      walk(child, next, begun);
    }
  }

  static void add_exits(const TokenTrie& trie, TokenTrie::NodeIndex node, std::uint32_t chars,
                        TokenTrie::Exits& exits) {
    for (TokenTrie::NodeIndex child = node + 1; child < trie.at(node).end; child = trie.at(child).end) {
      const auto group = TokenTrie::kFollowing.find(static_cast<char>(trie.at(child).byte));
      if (group != std::string_view::npos) exits[group].push_back({node, child, chars});
    }
  }

  const TokenTrie& trie_;
  TokenTrie::Text& out_;
  Dfa& dfa_;
  Dfa::State within_;
  std::vector<std::pair<TokenId, std::uint32_t>> inside_;
};

}  // namespace

void TokenTrie::Text::add_at_most(std::uint32_t chars, TokenMask& out) const noexcept {
  if (chars >= longest) return out.add(up_to.back());
  out.add(up_to[std::min(chars, kCounted - 1)]);
  for (const auto& [token, own] : longer)
    if (own <= chars) out.set(token);
}

TokenTrie::NodeIndex TokenTrie::child(NodeIndex node, std::uint8_t byte) const noexcept {
  NodeIndex child = node + 1;
  while (child < at(node).end && at(child).byte != byte) child = at(child).end;
  return child < at(node).end ? child : kRoot;
}

bool TokenTrie::goes_beyond(std::string_view text) const noexcept {
  NodeIndex node = kRoot;
  for (const char c : text) {
    node = child(node, static_cast<std::uint8_t>(c));
    if (node == kRoot) return false;
  }
  return at(node).has_children;
}

const TokenTrie::Text& TokenTrie::text(const Spelling& spelling) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, text] : texts_)
    if (known == spelling) return *text;
  Dfa dfa;
  RegexPool& pool = dfa.pool();
  const RegexId quote = pool.byte(static_cast<unsigned char>(spelling.quote));
  const Dfa::State within = dfa.start(pool.concat(spelling.any_text(pool), quote));
  return *texts_.emplace_back(spelling, std::make_unique<Text>(this->text(dfa, within))).second;
}

TokenTrie::Text TokenTrie::text(Dfa& dfa, Dfa::State within) const {
  Text text;
  TextBuilder(*this, dfa, within, text).build();
  return text;
}

}  // namespace lfm::constrain
