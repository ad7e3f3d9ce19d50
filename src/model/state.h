// What a network remembers of one sequence: keys and values of the attention layers, and the last inputs of the short
// convolutions. Beside them, where a draft network reads along, its keys and values of the same positions.
#pragma once

#include <cstddef>
#include <optional>
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
  //   draft  of the draft network that reads along, or null
  static Result<State> create(const Config& config, std::size_t capacity, kernels::KvFormat format = {},
                              const Config* draft = nullptr);

  std::size_t position() const noexcept { return position_; }  // tokens seen so far
  void advance(std::size_t tokens) noexcept { position_ += tokens; }

  // Before so many tokens run: memory for their keys and values, shared with nobody. kNoMemory
  Status make_room(std::size_t tokens);

  KvCache& kv() noexcept { return kv_; }
  const KvCache& kv() const noexcept { return kv_; }

  // The draft network's, or null. It holds the positions from draft_begin() on, which are all of them but where a
  // sequence came from elsewhere.
  KvCache* draft_kv() noexcept { return draft_kv_ ? &*draft_kv_ : nullptr; }
  const KvCache* draft_kv() const noexcept { return draft_kv_ ? &*draft_kv_ : nullptr; }
  std::size_t draft_begin() const noexcept { return draft_begin_; }
  // The draft network hasn't seen the positions so far.
  void skip_draft() noexcept { draft_begin_ = position_; }
  float* conv(std::size_t layer) noexcept {
    return conv_.data() + conv_offsets_[layer];
  }                                                       // (hidden / 16, taps - 1, 16)
  std::span<float> all_conv() noexcept { return conv_; }  // of all convolution layers, in order
  std::span<const float> all_conv() const noexcept { return conv_; }

  // Another one at `position`, at most this one's, with the convolution state of that position (as rewind()), which
  // shares the keys and values.
  State fork(std::size_t position, std::span<const float> conv) const;

  // Has the other one's keys and values where they are the same (KvCache::adopt).
  void adopt(const State& other, std::size_t positions);

  // Back to `position` tokens, at most those seen, with the convolution state of that position; empty: all zero, for
  // position 0.
  void rewind(std::size_t position, std::span<const float> conv) noexcept;

 private:
  explicit State(KvCache kv) noexcept : kv_(std::move(kv)) {}

  std::size_t position_ = 0;
  KvCache kv_;
  std::optional<KvCache> draft_kv_;
  std::size_t draft_begin_ = 0;
  std::vector<std::size_t> conv_offsets_;  // of each layer
  std::vector<float> conv_;
};

}  // namespace lfm::model
