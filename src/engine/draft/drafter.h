// A session's drafts: whose guess is read ahead, how much of it, and what that has brought.
//
// A pass of more rows takes longer: with a mixture of experts nearly as much longer as more experts are read. A guess
// is therefore read as far as tokens a second are the most, by what passes of so many rows take here
// (runtime/pass_costs.h) and how far such guesses have come true; often that is not at all. The latter is known of
// guesses that weren't read as well, since what was said instead is, so that nothing is tried for its own sake. Only a
// source that takes time isn't asked for nothing: where it didn't pay, it is tried again every now and then.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/draft/gains.h"
#include "engine/draft/source.h"
#include "engine/runtime/pass_costs.h"
#include "lfm/types.h"

namespace lfm::engine {

class Drafter {
 public:
  // Sources in the order in which they are asked: first those that take no time.
  explicit Drafter(std::vector<std::unique_ptr<DraftSource>> sources);
  explicit Drafter(std::unique_ptr<DraftSource> source);

  // Before a generation: the session's tokens.
  void follow(std::span<const TokenId> tokens);

  void push(TokenId token);  // was said

  // The tokens to read behind those of a pass, at most so many; often none. Valid until the next push(). Of several
  // guesses the one that promises the most.
  //   rows  of that pass without them, whoever's: each brings a token
  std::span<const TokenId> next(std::size_t most, std::size_t rows, const PassCosts& costs);

 private:
  struct Promise {
    double rate;  // tokens a second
    std::span<const TokenId> tokens;
  };

  // One source, and how its guesses come true.
  class Guesser {
   public:
    explicit Guesser(std::unique_ptr<DraftSource> source) : source_(std::move(source)), gains_(*source_) {}
    void follow(std::span<const TokenId> tokens);
    void push(TokenId token);
    // Asks for a guess, if that may be better than `best`, which becomes what is.
    void improve(Promise& best, std::size_t most, std::size_t rows, const PassCosts& costs);

   private:
    std::size_t worth_asking(double rate, std::size_t most, std::size_t rows, const PassCosts& costs) const noexcept;
    void watch(const Guess& guess) noexcept;

    std::unique_ptr<DraftSource> source_;
    DraftGains gains_;
    // A guess that is held against what is said.
    std::array<TokenId, DraftSource::kLongest> watched_;
    std::array<std::uint8_t, DraftSource::kLongest> trusts_;
    std::size_t watched_size_ = 0, came_ = 0;
    std::size_t unasked_ = kUnasked;  // tokens said since it was asked
  };
  static constexpr std::size_t kUnasked = 64;  // a source that takes time is tried after so many

  std::vector<Guesser> guessers_;
};

}  // namespace lfm::engine
