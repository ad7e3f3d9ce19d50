// Sets of bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lfm::constrain {

class ByteSet {
 public:
  static constexpr ByteSet all() noexcept {
    ByteSet set;
    set.words_.fill(~std::uint64_t{0});
    return set;
  }

  static constexpr ByteSet range(unsigned char first, unsigned char last) noexcept {
    ByteSet set;
    for (unsigned b = first; b <= last; ++b) set.add(static_cast<unsigned char>(b));
    return set;
  }

  constexpr void add(unsigned char b) noexcept { words_[b / 64u] |= std::uint64_t{1} << (b % 64u); }
  constexpr bool has(unsigned char b) const noexcept { return (words_[b / 64u] >> (b % 64u) & 1) != 0; }
  constexpr bool empty() const noexcept { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }

  // The first one of a set that isn't empty.
  unsigned char first() const noexcept {
    std::size_t word = 0;
    while (words_[word] == 0) ++word;
    return static_cast<unsigned char>(word * 64 + static_cast<std::size_t>(std::countr_zero(words_[word])));
  }

  template <typename Visit>
  void each(const Visit& visit) const {
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for (std::uint64_t left = words_[word]; left != 0; left &= left - 1) {
        visit(static_cast<unsigned char>(word * 64 + static_cast<std::size_t>(std::countr_zero(left))));
      }
    }
  }

  constexpr ByteSet& operator|=(const ByteSet& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  constexpr ByteSet operator&(const ByteSet& other) const noexcept {
    ByteSet both;
    for (std::size_t i = 0; i < words_.size(); ++i) both.words_[i] = words_[i] & other.words_[i];
    return both;
  }
  constexpr ByteSet without(const ByteSet& other) const noexcept {
    ByteSet left;
    for (std::size_t i = 0; i < words_.size(); ++i) left.words_[i] = words_[i] & ~other.words_[i];
    return left;
  }
  constexpr bool operator==(const ByteSet&) const = default;

  const std::array<std::uint64_t, 4>& words() const noexcept { return words_; }

 private:
  std::array<std::uint64_t, 4> words_ = {};
};

}  // namespace lfm::constrain
