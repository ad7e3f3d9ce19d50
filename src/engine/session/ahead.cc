#include "engine/session/ahead.h"

#include <algorithm>

namespace lfm::engine {

std::span<const TokenId> Ahead::begin(std::span<const TokenId> said, std::span<const TokenId> guessed,
                                      std::size_t stride, std::size_t conv_floats) {
  clear();
  const std::size_t rows = guessed.size() + 1;
  if (logits_.size() < rows * stride) logits_.resize(rows * stride);
  if (conv_.size() < rows * conv_floats) conv_.resize(rows * conv_floats);
  stride_ = stride;
  floats_ = conv_floats;
  tokens_.insert(tokens_.end(), said.begin(), said.end());
  tokens_.insert(tokens_.end(), guessed.begin(), guessed.end());
  said_ = next_ = said.size();
  return tokens_;
}

void Ahead::clear() noexcept {
  tokens_.clear();
  said_ = next_ = 0;
}

}  // namespace lfm::engine
