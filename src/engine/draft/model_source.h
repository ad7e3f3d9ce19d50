// Drafts by a network that was made for it and reads along (model/draft_network.h).
#pragma once

#include <array>
#include <vector>

#include "engine/draft/source.h"
#include "engine/model.h"
#include "engine/session/timeline.h"

namespace lfm::engine {

// A token's trust is what the network says of it. It can guess where one token was said that the session hasn't read.
class ModelSource : public DraftSource {
 public:
  // Both outlive it. `model` has a draft network; the line has room for so many tokens.
  ModelSource(const Model& model, Timeline& line, std::size_t room) noexcept
      : model_(model), line_(line), room_(room) {}

  void follow(std::span<const TokenId> tokens) override;
  void push(TokenId token) override;
  Guess guess(std::size_t most) override;
  double expected(std::size_t trust) const noexcept override;
  std::size_t longest() const noexcept override { return model_.draft->network.config.draft.block; }
  double seconds(std::size_t tokens) const noexcept override;

 private:
  const Model& model_;
  Timeline& line_;
  std::size_t room_;
  TokenId last_ = 0;
  std::size_t said_ = 0;  // tokens, that one included
  double seconds_ = 0;    // a running mean of guesses' time, of a token
  std::vector<model::Guessed> guessed_;
  std::array<TokenId, kLongest> tokens_;
  std::array<std::uint8_t, kLongest> trusts_;
};

}  // namespace lfm::engine
