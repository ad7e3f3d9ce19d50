// Tokens that are cut out of a text before BPE sees it, because they were added to the vocabulary by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
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

// Immutable: the token texts in order, in which a text is followed byte by byte by narrowing a range.
class AddedTokenIndex {
 public:
  struct Match {
    std::size_t begin = std::string_view::npos;  // npos: none
    std::size_t length = 0;
    TokenId id = Vocabulary::kNone;
  };

  // `which` is not kNone.
  AddedTokenIndex(const Vocabulary& vocabulary, AddedTokens which);

  // The leftmost match at or after `from`, the longest of those that begin there. Visits at most the longest token's
  // length of bytes for each byte of the text, and one for most.
  Match find(const Vocabulary& vocabulary, std::string_view text, std::size_t from) const noexcept;

 private:
  Match match_at(const Vocabulary& vocabulary, std::string_view text, std::size_t begin) const noexcept;

  std::vector<TokenId> sorted_;             // by bytes
  std::array<std::uint32_t, 257> first_{};  // those that begin with byte b are sorted_[first_[b], first_[b + 1])
};

}  // namespace lfm::text
