// What a network remembers of one sequence: keys and values of the attention layers, and the last inputs of the short
// convolutions.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "lfm/result.h"
#include "model/config.h"
#include "model/kv_cache.h"

namespace lfm::model {

class State {
 public:
  // Room for `capacity` positions; memory is taken as positions are filled. kNoMemory.
  static Result<State> create(const Config& config, std::size_t capacity, kernels::KvFormat format = {});

  std::size_t position() const noexcept { return position_; }  // tokens seen so far
  void advance(std::size_t tokens) noexcept { position_ += tokens; }

  // Before so many tokens run: memory for their keys and values, shared with nobody. kNoMemory
  Status make_room(std::size_t tokens) { return kv_.own(position_, position_ + tokens); }

  KvCache& kv() noexcept { return kv_; }
  const KvCache& kv() const noexcept { return kv_; }
  float* conv(std::size_t layer) noexcept {
    return conv_.data() + conv_offsets_[layer];
  }                                                       // (hidden / 16, taps - 1, 16)
  std::span<float> all_conv() noexcept { return conv_; }  // of all convolution layers, in order
  std::span<const float> all_conv() const noexcept { return conv_; }

  // Another one at `position`, at most this one's, with the convolution state of that position (as rewind()), which
  // shares the keys and values.
  State fork(std::size_t position, std::span<const float> conv) const;

  // Back to `position` tokens, at most those seen, with the convolution state of that position; empty: all zero, for
  // position 0.
  void rewind(std::size_t position, std::span<const float> conv) noexcept;

 private:
  explicit State(KvCache kv) noexcept : kv_(std::move(kv)) {}

  std::size_t position_ = 0;
  KvCache kv_;
  std::vector<std::size_t> conv_offsets_;  // of each layer
  std::vector<float> conv_;
};

}  // namespace lfm::model
