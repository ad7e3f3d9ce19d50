#include "model/snapshots.h"

#include <algorithm>
#include <limits>
#include <new>

#include "base/try.h"

namespace lfm::model {

Result<Snapshots> Snapshots::create(std::size_t floats, std::size_t budget_bytes, std::size_t positions) {
  const std::size_t bytes = std::max<std::size_t>(1, floats * sizeof(float));
  Pages memory(bytes, std::max(kLeast, std::min(positions, budget_bytes / bytes)));
  LFM_TRY(memory.reserve());
  return Snapshots(floats, std::move(memory));
}

std::span<float> Snapshots::add(std::size_t position, std::size_t keep) {
  const auto by_position = [](const Entry& entry, std::size_t p) { return entry.position < p; };
  auto place = std::lower_bound(entries_.begin(), entries_.end(), position, by_position);
  const bool there = place != entries_.end() && place->position == position;
  if (there && !place->page.shared()) return conv(*place);
  const auto make_room = [&] { drop_least_missed(std::max(position, entries_.back().position), keep); };
  if (!there && entries_.size() == memory_.count()) make_room();
  Result<Pages::Page> page = memory_.take();
  for (; !page.ok() && !there && entries_.size() >= kLeast; page = memory_.take()) make_room();
  if (!page.ok()) throw std::bad_alloc();
  place = std::lower_bound(entries_.begin(), entries_.end(), position, by_position);
  if (there) {
    place->page = *std::move(page);
  } else {
    place = entries_.insert(place, {position, *std::move(page)});
  }
  return conv(*place);
}

Snapshots::Found Snapshots::find(std::size_t position) const noexcept {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), position,
                                      [](std::size_t p, const Entry& entry) { return p < entry.position; });
  if (after == entries_.begin()) return {};
  return {(after - 1)->position, conv(*(after - 1))};
}

void Snapshots::drop_after(std::size_t position) noexcept {
  while (!entries_.empty() && entries_.back().position > position) entries_.pop_back();
}

Snapshots Snapshots::fork(std::size_t position) const {
  Snapshots fork(floats_, Pages(memory_.page_bytes(), memory_.count()));
  for (const Entry& entry : entries_) {
    if (entry.position <= position) fork.entries_.push_back(entry);
  }
  return fork;
}

void Snapshots::adopt(const Snapshots& other, std::size_t position) {
  auto theirs = other.entries_.begin();
  for (Entry& entry : entries_) {
    while (theirs != other.entries_.end() && theirs->position < entry.position) ++theirs;
    if (entry.position > position || theirs == other.entries_.end()) return;
    if (theirs->position == entry.position) entry.page = theirs->page;
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
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(least));
}

}  // namespace lfm::model
