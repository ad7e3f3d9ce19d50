// Copies of the convolution states at earlier positions. Keys and values of earlier tokens stay in the cache, so with
// the convolution state of a position a sequence can be taken back to it exactly. Sequences may share them.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "lfm/result.h"
#include "model/pages.h"

namespace lfm::model {

class Snapshots {
 public:
  static constexpr std::size_t kLeast = 4;

  // Room for budget_bytes / (4 * floats) snapshots of `floats` floats, but no more than `positions`, and at least 4.
  // Memory is taken as they are filled. kNoMemory: none for the first
  static Result<Snapshots> create(std::size_t floats, std::size_t budget_bytes, std::size_t positions);

  // Where the snapshot of `position` is to be written, (floats); the one that was there already, or a new one. When all
  // room is taken, or the system gives no more, it replaces the one that is least missed: close to its neighbours, and
  // far back. That of `keep` stays. Throws std::bad_alloc where there is memory for fewer than 4.
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::span<float> add(std::size_t position, std::size_t keep = kNone);

  // The latest snapshot at or before `position`; empty where there is none.
  struct Found {
    std::size_t position = 0;
    std::span<const float> conv = {};
  };
  Found find(std::size_t position) const noexcept;

  // Snapshot i of size(), by position.
  Found at(std::size_t i) const noexcept { return {entries_[i].position, conv(entries_[i])}; }
  std::size_t size() const noexcept { return entries_.size(); }

  // Forgets what lies after `position`.
  void drop_after(std::size_t position) noexcept;

  // Others with the same room, which share those up to `position`.
  Snapshots fork(std::size_t position) const;

  // Has the other ones' memory for the positions that both have, where they hold the same: up to `position`. They are
  // of the same size.
  void adopt(const Snapshots& other, std::size_t position);

 private:
  struct Entry {
    std::size_t position;
    Pages::Page page;
  };

  Snapshots(std::size_t floats, Pages memory) : floats_(floats), memory_(std::move(memory)) {
    entries_.reserve(memory_.count());
  }

  std::span<float> conv(const Entry& entry) const noexcept {
    return {reinterpret_cast<float*>(entry.page.data()), floats_};
  }
  void drop_least_missed(std::size_t newest, std::size_t keep) noexcept;

  std::size_t floats_;
  Pages memory_;
  std::vector<Entry> entries_;  // by position, no more than pages of a slab
};

}  // namespace lfm::model
