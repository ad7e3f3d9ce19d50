// What a session knows: tokens, and what the network remembers of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

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

  // Memory is taken as it is filled. kNoMemory
  static Result<Timeline> create(const model::Config& config, std::size_t room, std::size_t snapshot_bytes);

  // Makes an empty one of the same sizes the same as this one, whose keys and values it shares.
  void copy_to(Timeline& other) const;

  // Keeps the state of where it is.
  void keep_state();

  // Back to the latest position at or before `position` whose state is known. Forgets all that lies behind it.
  void rewind(std::size_t position) noexcept;

  void clear() noexcept { rewind(0); }

  // After an exception: forgets what was begun, and everything where the state is no longer that of the tokens.
  void settle() noexcept;
};

}  // namespace lfm::engine
