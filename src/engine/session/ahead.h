// Tokens that were read behind a session's last one, in case they are said next.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lfm/types.h"

namespace lfm::engine {

// Their keys and values are in the cache behind the session's position, where they count for nothing; here are the
// logits and the convolution states: row 0 behind the session's last token as it was then, row i behind i of these.
// Those that are said are taken over from here; the others leave no trace.
class Ahead {
 public:
  // Room for some tokens behind others that are said. Gives both together; valid until the next call.
  std::span<const TokenId> begin(std::span<const TokenId> said, std::span<const TokenId> guessed, std::size_t stride,
                                 std::size_t conv_floats);
  void clear() noexcept;

  std::span<const TokenId> left() const noexcept { return std::span(tokens_).subspan(next_); }

  // The first of those left was said: gives its row.
  std::size_t take() noexcept { return ++next_ - said_; }

  std::size_t bytes() const noexcept { return (logits_.capacity() + conv_.capacity()) * sizeof(float); }

  std::span<float> logits(std::size_t row) noexcept { return std::span(logits_).subspan(row * stride_, stride_); }
  std::span<float> conv(std::size_t row) noexcept { return std::span(conv_).subspan(row * floats_, floats_); }

 private:
  std::vector<TokenId> tokens_;  // those that are said, and these
  std::size_t said_ = 0;
  std::size_t next_ = 0;  // of all
  std::size_t stride_ = 0, floats_ = 0;
  std::vector<float> logits_;  // (rows, stride)
  std::vector<float> conv_;    // (rows, floats)
};

}  // namespace lfm::engine
