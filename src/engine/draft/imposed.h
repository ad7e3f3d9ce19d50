// For benchmarks: a source's guesses, which take what they take, replaced so that they come true as often as one wants.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/draft/source.h"

namespace lfm::engine {

// Each token of a guess is the text's with a chance, and of the trust that is for such a chance.
class Imposed : public DraftSource {
 public:
  // `text`: what the session will have, from its first token on. Beyond its end guesses are the source's.
  Imposed(std::unique_ptr<DraftSource> source, std::vector<TokenId> text, double chance);

  void follow(std::span<const TokenId> tokens) override;
  void push(TokenId token) override;
  Guess guess(std::size_t most) override;
  double expected(std::size_t trust) const noexcept override { return source_->expected(trust); }
  std::size_t longest() const noexcept override { return source_->longest(); }
  double seconds(std::size_t tokens) const noexcept override { return source_->seconds(tokens); }

 private:
  std::unique_ptr<DraftSource> source_;
  std::vector<TokenId> text_;
  double chance_;
  std::uint8_t trust_ = 0;
  std::size_t said_ = 0;  // tokens
  std::array<TokenId, kLongest> tokens_;
  std::array<std::uint8_t, kLongest> trusts_;
};

}  // namespace lfm::engine
