#include "model/shortlist.h"

#include <algorithm>

#include "kernels/matmul/layout.h"

namespace lfm::model {

using kernels::kTileRows;

Shortlist::Shortlist(std::size_t vocab, std::size_t first, std::size_t lately)
    : vocab_(vocab), first_((std::min(vocab, first) + kTileRows - 1) / kTileRows) {
  const std::size_t tiles = (vocab + kTileRows - 1) / kTileRows;
  most_ = std::min(tiles - first_, lately);
  others_.reserve(most_);
  again_.resize(most_);
  places_.assign(tiles - first_, kNowhere);
}

void Shortlist::read(std::span<const std::int32_t> tokens) noexcept {
  if (most_ == 0) return;
  for (const std::int32_t token : tokens) {
    const auto tile = static_cast<std::uint32_t>(static_cast<std::size_t>(token) / kTileRows);
    if (tile < first_) continue;
    if (const std::uint32_t place = places_[tile - first_]; place != kNowhere) {
      again_[place] = true;
    } else {
      put(tile);
    }
  }
}

// A hand goes round, as in page caches: whoever was read again since it came by last stays for another round.
void Shortlist::put(std::uint32_t tile) noexcept {
  if (others_.size() < most_) {
    places_[tile - first_] = static_cast<std::uint32_t>(others_.size());
    return others_.push_back(tile);
  }
  while (again_[hand_]) {
    again_[hand_] = false;
    hand_ = (hand_ + 1) % most_;
  }
  places_[others_[hand_] - first_] = kNowhere;
  places_[tile - first_] = static_cast<std::uint32_t>(hand_);
  others_[hand_] = tile;
  hand_ = (hand_ + 1) % most_;
}

}  // namespace lfm::model
