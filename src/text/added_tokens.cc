#include "text/added_tokens.h"

#include <algorithm>

namespace lfm::text {
namespace {

std::size_t first_byte(std::string_view text) {
  return static_cast<unsigned char>(text[0]);
}

}  // namespace

AddedTokenIndex::AddedTokenIndex(const Vocabulary& vocabulary, AddedTokens which) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocabulary.type(id);
    const bool wanted = type == TokenType::kUserDefined || (type == TokenType::kControl && which == AddedTokens::kAll);
    if (wanted) sorted_.push_back(id);
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [&](TokenId a, TokenId b) { return vocabulary.bytes(a) < vocabulary.bytes(b); });
  for (const TokenId id : sorted_) ++first_[first_byte(vocabulary.bytes(id)) + 1];
  for (std::size_t byte = 1; byte < first_.size(); ++byte) first_[byte] += first_[byte - 1];
}

AddedTokenIndex::Match AddedTokenIndex::find(const Vocabulary& vocabulary, std::string_view text,
                                             std::size_t from) const noexcept {
  if (sorted_.empty()) return {};
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    const std::size_t byte = static_cast<unsigned char>(text[begin]);
    if (first_[byte] == first_[byte + 1]) continue;
    const Match match = match_at(vocabulary, text, begin);
    if (match.length > 0) return match;
  }
  return {};
}

AddedTokenIndex::Match AddedTokenIndex::match_at(const Vocabulary& vocabulary, std::string_view text,
                                                 std::size_t begin) const noexcept {
  const std::size_t byte = static_cast<unsigned char>(text[begin]);
  auto low = sorted_.begin() + first_[byte];
  auto high = sorted_.begin() + first_[byte + 1];
  Match longest;
  // [low, high) are the tokens that begin with text[begin, begin + length); the token that is exactly that comes first.
  for (std::size_t length = 1; low != high; ++length) {
    if (vocabulary.bytes(*low).size() == length) {
      longest = {begin, length, *low};
      ++low;
    }
    if (begin + length == text.size()) break;
    const char next = text[begin + length];
    const auto byte_at = [&](TokenId id) { return static_cast<unsigned char>(vocabulary.bytes(id)[length]); };
    low = std::partition_point(low, high, [&](TokenId id) { return byte_at(id) < static_cast<unsigned char>(next); });
    high = std::partition_point(low, high, [&](TokenId id) { return byte_at(id) == static_cast<unsigned char>(next); });
  }
  return longest;
}

}  // namespace lfm::text
