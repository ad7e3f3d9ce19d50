// Copies of the convolution states at earlier positions. Keys and values of earlier tokens stay in the cache, so with
// the convolution state of a position a sequence can be taken back to it exactly.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/memory.h"
#include "lfm/result.h"

namespace lfm::model {

class Snapshots {
 public:
  // Room for budget_bytes / (4 * floats) snapshots of `floats` floats, but no more than `positions`, and at least 4;
  // for fewer where the system doesn't give so much. Memory is taken as they are filled. kNoMemory: not even that.
  static Result<Snapshots> create(std::size_t floats, std::size_t budget_bytes, std::size_t positions);

  // Where the snapshot of `position` is to be written, (floats); the one that was there already, or a new one. When all
  // room is taken it replaces the one that is least missed: close to its neighbours, and far back. That of `keep`
  // stays.
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::span<float> add(std::size_t position, std::size_t keep = kNone);

  // The latest snapshot at or before `position`; empty where there is none.
  struct Found {
    std::size_t position = 0;
    std::span<const float> conv = {};
  };
  Found find(std::size_t position) const noexcept;

  // Snapshot i of size(), by position.
  Found at(std::size_t i) const noexcept { return {entries_[i].position, slot(entries_[i].slot)}; }

  // Forgets what lies after `position`.
  void drop_after(std::size_t position) noexcept;

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::size_t position;
    std::size_t slot;
  };

  std::span<float> slot(std::size_t i) const noexcept;
  void drop_least_missed(std::size_t newest, std::size_t keep) noexcept;

  std::size_t floats_ = 0;
  mutable base::Memory memory_;
  std::vector<Entry> entries_;     // by position
  std::vector<std::size_t> free_;  // slots that had been taken
  std::size_t taken_ = 0;          // slots that have been, from the first one on
  std::size_t slots_ = 0;
};

}  // namespace lfm::model
