// Which tokens a draft network guesses. The head of a large vocabulary takes as long as all of the network's layers,
// and a guess that can't be made changes no text.
//
// They are the vocabulary's first tokens, since byte-pair encodings number tokens in the order in which they were
// merged and so roughly by how often they are said; and of the others those in the head's tiles of tokens that were
// read lately: names, terms and languages that a text is about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lfm::model {

class Shortlist {
 public:
  static constexpr std::size_t kFirst = 32768;  // tokens
  static constexpr std::size_t kLately = 256;   // tiles

  explicit Shortlist(std::size_t vocab, std::size_t first = kFirst, std::size_t lately = kLately);

  // These were read. Allocates nothing.
  void read(std::span<const std::int32_t> tokens) noexcept;

  std::size_t vocab() const noexcept { return vocab_; }
  // Tiles of the head: those before first(), and others, which are at least first().
  std::size_t first() const noexcept { return first_; }
  std::span<const std::uint32_t> others() const noexcept { return others_; }

 private:
  void put(std::uint32_t tile) noexcept;

  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  std::size_t vocab_;
  std::size_t first_;
  std::size_t most_;                   // others
  std::vector<std::uint32_t> others_;  // room for `most_`
  std::vector<bool> again_;            // of others_: was read since the hand passed
  std::size_t hand_ = 0;               // where one goes for a new one, unless it was read again
  std::vector<std::uint32_t> places_;  // of each tile from first_ on, in others_
};

}  // namespace lfm::model
