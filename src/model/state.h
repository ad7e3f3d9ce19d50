// What a network remembers of one sequence: keys and values of the attention layers, and the last inputs of the short
// convolutions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "lfm/result.h"
#include "model/config.h"
#include "ops/attention.h"

namespace lfm::model {

class State {
 public:
  // Room for `capacity` positions; memory is taken as positions are filled. kNoMemory.
  static Result<State> create(const Config& config, std::size_t capacity);

  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t position() const noexcept { return position_; }  // tokens seen so far
  void advance(std::size_t tokens) noexcept { position_ += tokens; }

  ops::KvCache kv(std::size_t layer) noexcept;            // of an attention layer
  float* conv(std::size_t layer) noexcept;                // of a convolution layer: (hidden / 16, taps - 1, 16)
  std::span<float> all_conv() noexcept { return conv_; }  // of all convolution layers, in order
  std::span<const float> all_conv() const noexcept { return conv_; }

  // The keys and values in parts, for copies of them: of each attention layer the keys of its KV heads, then their
  // values. A part of p positions is whole blocks of kernels::kKvBlock, (ceil(p / kKvBlock), block) f16.
  std::size_t parts() const noexcept { return part_holds_keys_.size(); }
  std::size_t part_bytes(std::size_t positions) const noexcept;
  std::byte* part(std::size_t i) noexcept { return memory_.data() + i * part_stride(); }
  // Copies part i up to position(), part_bytes(position()); what lies behind it in the last block becomes zero.
  void copy_part(std::size_t i, std::byte* out) const noexcept;

  // Back to `position` tokens, at most those seen, with the convolution state of that position; empty: all zero, for
  // position 0.
  void rewind(std::size_t position, std::span<const float> conv) noexcept;

 private:
  struct LayerPlace {
    std::size_t kv_heads = 0;
    std::size_t offset = 0;  // attention: bytes into memory_; convolution: floats into conv_
  };

  std::size_t part_stride() const noexcept { return capacity_ * head_dim_ * sizeof(std::uint16_t); }

  std::size_t capacity_ = 0;
  std::size_t position_ = 0;
  std::size_t head_dim_ = 0;
  std::vector<LayerPlace> layers_;
  std::vector<bool> part_holds_keys_;  // else values
  base::Memory memory_;
  std::vector<float> conv_;
};

}  // namespace lfm::model
