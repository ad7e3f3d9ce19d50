// A session's drafts: whose guess is read ahead, how much of it, and what that has brought.
//
// A pass of more rows takes longer: with a mixture of experts nearly as much longer as more experts are read. A guess
// is therefore read as far as tokens a second are the most, by what passes of so many rows take here
// (runtime/pass_costs.h) and how far such guesses have come true; often that is not at all. The latter is known of
// guesses that weren't read as well, since what was said instead is, so that nothing is tried for its own sake. Only a
// source that takes time isn't asked for nothing: where it didn't pay, it is tried again every now and then, soon at
// first.
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
  // A pass that reads a guess ahead, or none: the tokens that it is expected to bring, and what it takes.
  struct Promise {
    double tokens;
    double seconds;
    std::span<const TokenId> guess = {};

    double rate() const noexcept { return tokens / seconds; }
    // Beside what comes in that time otherwise, at so many tokens a second.
    double gain(double otherwise) const noexcept { return tokens - otherwise * seconds; }
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
    struct Plan {
      std::size_t length;  // to ask for, or 0
      double rate;         // tokens a second that such guesses bring on the whole, their own time included
    };
    Plan plan(double otherwise, std::size_t most, std::size_t rows, const PassCosts& costs);
    void watch(const Guess& guess) noexcept;

    std::unique_ptr<DraftSource> source_;
    DraftGains gains_;
    // A guess that is held against what is said.
    std::array<TokenId, DraftSource::kLongest> watched_;
    std::array<std::uint8_t, DraftSource::kLongest> trusts_;
    std::size_t watched_size_ = 0, came_ = 0;
    std::size_t unasked_ = 0;                // tokens said since it was asked
    std::size_t patience_ = kFirstPatience;  // so many that it isn't asked for nothing
  };
  // A source that takes time and doesn't pay is tried after so many tokens, and after a quarter more each time that it
  // still doesn't: that it didn't at first may be bad luck, or it isn't known yet what its trust is worth.
  static constexpr std::size_t kFirstPatience = 4, kLongestPatience = 64;

  std::vector<Guesser> guessers_;
};

}  // namespace lfm::engine
