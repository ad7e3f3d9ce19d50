// What a session knows: tokens, and what the network remembers of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/session/ahead.h"
#include "lfm/result.h"
#include "lfm/types.h"
#include "model/config.h"
#include "model/snapshots.h"
#include "model/state.h"

namespace lfm::engine {

struct Timeline {
  std::vector<TokenId> tokens;  // with memory for `room` of them
  model::State state;           // after them
  model::Snapshots snapshots;   // of positions up to the last
  std::size_t vocab;
  std::size_t logits_stride;  // vocab in whole tiles
  std::vector<float> logits;  // (logits_stride) after the last token
  bool logits_valid = false;  // whether they are
  Ahead ahead = {};           // what was read behind them

  // Memory is taken as it is filled. kNoMemory
  //   draft  the configuration of the draft network that reads along, or null
  static Result<Timeline> create(const model::Config& config, std::size_t room, std::size_t snapshot_bytes,
                                 kernels::KvFormat cache = {}, const model::Config* draft = nullptr);

  // Another one at `position`, whose state is known, which shares what the network remembers.
  Timeline fork(std::size_t position) const;
  Timeline fork() const { return fork(tokens.size()); }

  // How many tokens the two begin with alike.
  std::size_t common(std::span<const TokenId> other) const noexcept;

  // How many of these tokens it holds, or would hold after a rewind() to the latest state that is of use: all of them
  // only where their logits are there.
  std::size_t reusable(std::span<const TokenId> other) const noexcept;

  // Has the other one's memory for the first `position` tokens, which are the same in both.
  void adopt(const Timeline& other, std::size_t position);

  // Memory that timelines may share.
  struct Block {
    const void* at;
    std::size_t bytes;
  };
  std::vector<Block> shared_blocks() const;
  // And that of its own, about.
  std::size_t own_bytes() const noexcept;

  // Keeps the state of where it is.
  void keep_state();

  // What was read ahead is behind the tokens now, and the state behind that: goes back to the last token.
  void leave_ahead() noexcept;

  // Goes on by this token, if it is the next one that was read ahead.
  bool take_ahead(TokenId token);

  // Back to the latest position at or before `position` whose state is known. Forgets all that lies behind it.
  void rewind(std::size_t position) noexcept;

  void clear() noexcept { rewind(0); }

  // After an exception: forgets what was begun, and everything where the state is no longer that of the tokens.
  void settle() noexcept;
};

}  // namespace lfm::engine
