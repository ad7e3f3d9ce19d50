// The vocabulary as a tree of bytes, and which of its tokens are plain text within a string.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "constrain/regex/dfa.h"
#include "constrain/regex/spelling.h"
#include "lfm/types.h"
#include "text/tokenizer.h"

namespace lfm::constrain {

// One bit for each token of the vocabulary.
class TokenMask {
 public:
  TokenMask() = default;
  explicit TokenMask(std::size_t tokens) : words_((tokens + 63) / 64) {}

  void set(TokenId id) noexcept { words_[static_cast<std::size_t>(id) / 64] |= bit(id); }
  void clear(TokenId id) noexcept { words_[static_cast<std::size_t>(id) / 64] &= ~bit(id); }
  bool test(TokenId id) const noexcept { return (words_[static_cast<std::size_t>(id) / 64] & bit(id)) != 0; }
  void clear_all() noexcept { std::fill(words_.begin(), words_.end(), 0); }
  void add(const TokenMask& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  bool empty() const noexcept;
  std::size_t count() const noexcept;
  std::span<const std::uint64_t> words() const noexcept { return words_; }

 private:
  static std::uint64_t bit(TokenId id) noexcept { return std::uint64_t{1} << (static_cast<std::size_t>(id) % 64); }
  std::vector<std::uint64_t> words_;
};

class TokenTrie {
 public:
  using NodeIndex = std::uint32_t;
  static constexpr NodeIndex kRoot = 0;

  // Depth first: a node's children follow it, up to `end`.
  struct Node {
    NodeIndex end;
    TokenId token;  // that ends here, or -1
    std::uint8_t byte;
    bool has_children;
    std::uint16_t depth;
  };

  // A node with which something has ended, and one of its children.
  struct Exit {
    NodeIndex parent;
    NodeIndex child;
    std::uint32_t chars;  // characters before the end, of a text
  };
  // By the byte that follows, one of kFollowing.
  using Exits = std::array<std::vector<Exit>, 5>;
  static constexpr std::string_view kFollowing = ",}]):";

  // What tokens do within a string, after its quote, as far as its length goes.
  struct Text {
    static constexpr std::uint32_t kCounted = 16;
    std::vector<TokenMask> up_to = {};  // tokens that begin at most so many characters and don't end the string
    std::vector<std::pair<TokenId, std::uint32_t>> longer = {};  // those with kCounted or more, and how many
    std::uint32_t longest = 0;
    std::vector<std::pair<TokenId, std::uint32_t>> closing = {};  // tokens that end with the quote, and characters
    TokenMask all = {};                                           // both, of any length
    Exits exits = {};

    // Adds those with at most so many characters.
    void add_at_most(std::uint32_t chars, TokenMask& out) const noexcept;
  };

  // Those tokens that a text can be made of; keeps a reference to the tokenizer.
  explicit TokenTrie(const text::Tokenizer& tokenizer);

  const Node& at(NodeIndex i) const noexcept { return nodes_[i]; }
  std::size_t nodes() const noexcept { return nodes_.size(); }
  std::size_t tokens() const noexcept { return tokenizer_.vocabulary().size(); }
  const text::Tokenizer& tokenizer() const noexcept { return tokenizer_; }
  std::string_view bytes(TokenId id) const noexcept { return tokenizer_.piece(id); }
  bool is_text(TokenId id) const noexcept { return tokenizer_.vocabulary().is_byte_level(id); }

  // Where a byte leads to from a node; the root, if nowhere.
  NodeIndex child(NodeIndex node, std::uint8_t byte) const noexcept;

  // Whether a token is longer than this text, which it begins with.
  bool goes_beyond(std::string_view text) const noexcept;

  // Made when first asked for.
  const Text& text(const Spelling& spelling) const;

  // The same of another DFA's state from which characters of a set come, any number of them, and then something else.
  Text text(Dfa& dfa, Dfa::State within) const;

 private:
  void add(std::span<const TokenId> sorted, std::size_t depth);

  const text::Tokenizer& tokenizer_;
  std::vector<Node> nodes_;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<Spelling, std::unique_ptr<const Text>>> texts_;
};

}  // namespace lfm::constrain
