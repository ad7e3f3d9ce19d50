#include "text/added_tokens.h"

#include <algorithm>

namespace lfm::text {
namespace {

// Tokens, sorted, that all begin with what a state stands for.
struct Range {
  std::size_t begin;
  std::size_t end;
};

}  // namespace

AddedTokenIndex::AddedTokenIndex(const Vocabulary& vocabulary) {
  std::vector<TokenId> sorted;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const TokenType type = vocabulary.type(static_cast<TokenId>(i));
    if (type == TokenType::kUserDefined || type == TokenType::kControl) sorted.push_back(static_cast<TokenId>(i));
  }
  const auto byte_before = [](char a, char b) { return static_cast<unsigned char>(a) < static_cast<unsigned char>(b); };
  std::sort(sorted.begin(), sorted.end(), [&](TokenId a, TokenId b) {
    const std::string_view x = vocabulary.bytes(a), y = vocabulary.bytes(b);
    return std::lexicographical_compare(x.rbegin(), x.rend(), y.rbegin(), y.rend(), byte_before);
  });

  // Length by length: what a state needs to know of shorter ones is there then.
  states_.emplace_back();
  std::vector<Range> ranges = {{0, sorted.size()}};  // of the states of one length
  std::size_t state = 0;
  for (std::size_t length = 0; !ranges.empty(); ++length) {
    longest_ = length;
    std::vector<Range> longer;
    for (Range range : ranges) {
      const State& shorter = states_[states_[state].shorter];
      states_[state].any = shorter.any;
      states_[state].user_defined = shorter.user_defined;
      if (range.begin < range.end && vocabulary.bytes(sorted[range.begin]).size() == length) {
        const TokenId token = sorted[range.begin++];
        states_[state].any = token;
        if (vocabulary.type(token) == TokenType::kUserDefined) {
          states_[state].user_defined = token;
          user_defined_ = true;
        }
      }
      const auto byte_of = [&](std::size_t i) {
        const std::string_view bytes = vocabulary.bytes(sorted[i]);
        return static_cast<unsigned char>(bytes[bytes.size() - 1 - length]);
      };
      states_[state].children = static_cast<std::uint32_t>(states_.size());
      while (range.begin < range.end) {
        const unsigned char byte = byte_of(range.begin);
        std::size_t end = range.begin + 1;
        while (end < range.end && byte_of(end) == byte) ++end;
        longer.push_back({range.begin, end});
        range.begin = end;
        State added;
        added.byte = byte;
        added.shorter = length == 0 ? 0 : next(states_[state].shorter, byte);
        if (length == 0) first_state_[byte] = static_cast<std::uint32_t>(states_.size());
        states_.push_back(added);
        ++states_[state].count;
      }
      ++state;
    }
    ranges = std::move(longer);
  }
}

std::uint32_t AddedTokenIndex::child(std::uint32_t state, unsigned char byte) const noexcept {
  if (state == 0) return first_state_[byte];
  const auto begin = states_.begin() + states_[state].children;
  const auto end = begin + states_[state].count;
  const auto found = std::lower_bound(begin, end, byte, [](const State& a, unsigned char b) { return a.byte < b; });
  return found != end && found->byte == byte ? static_cast<std::uint32_t>(found - states_.begin()) : 0;
}

std::uint32_t AddedTokenIndex::next(std::uint32_t state, unsigned char byte) const noexcept {
  for (;;) {
    const std::uint32_t found = child(state, byte);
    if (found != 0 || state == 0) return found;
    state = states_[state].shorter;
  }
}

void AddedTokenIndex::longest(std::string_view text, std::size_t from, AddedTokens which,
                              std::span<TokenId> out) const noexcept {
  const std::size_t end = from + out.size();
  std::uint32_t state = 0;
  for (std::size_t i = std::min(text.size(), end + longest_); i-- > from;) {
    state = next(state, static_cast<unsigned char>(text[i]));
    if (i >= end) continue;
    out[i - from] = which == AddedTokens::kAll ? states_[state].any : states_[state].user_defined;
  }
}

}  // namespace lfm::text
