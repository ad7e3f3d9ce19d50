#include "model/snapshots.h"

#include <algorithm>
#include <limits>

#include "base/try.h"

namespace lfm::model {

Result<Snapshots> Snapshots::create(std::size_t floats, std::size_t budget_bytes, std::size_t positions) {
  constexpr std::size_t kLeast = 4;
  const std::size_t bytes = std::max<std::size_t>(1, floats * sizeof(float));
  Snapshots snapshots;
  snapshots.floats_ = floats;
  snapshots.slots_ = std::max(kLeast, std::min(positions, budget_bytes / bytes));
  auto memory = base::Memory::allocate(snapshots.slots_ * bytes);
  while (!memory.ok() && snapshots.slots_ > kLeast) {
    snapshots.slots_ = std::max(kLeast, snapshots.slots_ / 2);
    memory = base::Memory::allocate(snapshots.slots_ * bytes);
  }
  LFM_ASSIGN(snapshots.memory_, std::move(memory));
  snapshots.entries_.reserve(snapshots.slots_);
  snapshots.free_.reserve(snapshots.slots_);
  return snapshots;
}

std::span<float> Snapshots::slot(std::size_t i) const noexcept {
  return {reinterpret_cast<float*>(memory_.data()) + i * floats_, floats_};
}

std::span<float> Snapshots::add(std::size_t position, std::size_t keep) {
  const auto by_position = [](const Entry& entry, std::size_t p) { return entry.position < p; };
  auto place = std::lower_bound(entries_.begin(), entries_.end(), position, by_position);
  if (place != entries_.end() && place->position == position) return slot(place->slot);
  if (free_.empty() && taken_ == slots_) {
    drop_least_missed(std::max(position, entries_.back().position), keep);
    place = std::lower_bound(entries_.begin(), entries_.end(), position, by_position);
  }
  std::size_t taken = taken_;
  if (free_.empty()) {
    ++taken_;
  } else {
    taken = free_.back();
    free_.pop_back();
  }
  entries_.insert(place, {position, taken});
  return slot(taken);
}

Snapshots::Found Snapshots::find(std::size_t position) const noexcept {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), position,
                                      [](std::size_t p, const Entry& entry) { return p < entry.position; });
  if (after == entries_.begin()) return {};
  return {(after - 1)->position, slot((after - 1)->slot)};
}

void Snapshots::drop_after(std::size_t position) noexcept {
  while (!entries_.empty() && entries_.back().position > position) {
    free_.push_back(entries_.back().slot);
    entries_.pop_back();
  }
}

// What a snapshot saves is the recomputation of the gap that it halves; what it is worth falls with its distance from
// the end, where edits happen.
void Snapshots::drop_least_missed(std::size_t newest, std::size_t keep) noexcept {
  std::size_t least = 0;
  double least_worth = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
    if (entries_[i].position == keep) continue;
    const std::size_t before = i == 0 ? 0 : entries_[i - 1].position;
    const double gap = static_cast<double>(entries_[i + 1].position - before);
    const double worth = gap / static_cast<double>(newest - entries_[i].position + 1);
    if (worth < least_worth) {
      least = i;
      least_worth = worth;
    }
  }
  free_.push_back(entries_[least].slot);
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(least));
}

}  // namespace lfm::model
