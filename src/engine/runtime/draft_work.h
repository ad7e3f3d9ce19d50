// What a runtime has for a draft network that reads along and guesses.
#pragma once

#include <cstddef>
#include <vector>

#include "model/draft_network.h"
#include "model/forward.h"

namespace lfm::engine {

struct DraftWork {
  DraftWork(const model::DraftNetwork& of, std::size_t chunk_tokens, unsigned members)
      : network(of),
        g(chunk_tokens * of.config.hidden),
        room(of, of.config.draft.block, members),
        shortlist(of.config.vocab) {}

  // For a pass: what the network reads of it.
  model::Taps taps() {
    return {network.config.draft.taps,
            [this](const ops::Context& c, std::size_t tap) { model::take_tap(c, network, tap, g); }};
  }

  const model::DraftNetwork& network;
  std::vector<float> g;  // of a pass's rows
  model::GuessRoom room;
  model::Shortlist shortlist;  // of all sessions' tokens
};

}  // namespace lfm::engine
