// Tokens that are cut out of a text before BPE sees it, because they were added to the vocabulary by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace lfm::text {

// Which of them a text may spell.
enum class AddedTokens : std::uint8_t {
  kAll,          // kControl and kUserDefined tokens, as the reference does: for text that the application wrote
  kUserDefined,  // kUserDefined only: text from outside can't forge the chat form
  kNone,         // the text is nothing but text
};

// Immutable: an automaton (Aho, Corasick 1975) of the tokens spelt backwards. A text is read backwards too; where a
// token ends so, it begins in the text, and which is the longest follows from the state alone. Time in proportion to
// the text, whatever the tokens.
class AddedTokenIndex {
 public:
  explicit AddedTokenIndex(const Vocabulary& vocabulary);

  bool empty(AddedTokens which) const noexcept {
    return which == AddedTokens::kAll ? states_.size() == 1 : !user_defined_;
  }

  // The longest token that begins at each byte of text[from, from + out.size()), or kNone.
  void longest(std::string_view text, std::size_t from, AddedTokens which, std::span<TokenId> out) const noexcept;

 private:
  // What was read last, as the beginning of tokens spelt backwards.
  struct State {
    std::uint32_t children = 0;  // the first of them; they are next to each other, by byte
    std::uint32_t shorter = 0;   // the longest end of this that is a state too
    TokenId any = Vocabulary::kNone;
    TokenId user_defined = Vocabulary::kNone;
    std::uint16_t count = 0;  // of children
    unsigned char byte = 0;   // read last
  };

  std::uint32_t child(std::uint32_t state, unsigned char byte) const noexcept;  // 0: none
  std::uint32_t next(std::uint32_t state, unsigned char byte) const noexcept;

  std::vector<State> states_;                     // by length; the first is that of nothing
  std::array<std::uint32_t, 256> first_state_{};  // its children
  std::size_t longest_ = 0;                       // bytes of a token
  bool user_defined_ = false;                     // whether there are such
};

}  // namespace lfm::text
