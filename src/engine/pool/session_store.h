// Timelines that sessions may begin with, by their tokens.
//
// One that is held never changes; who goes on from it has a fork, with which it shares memory. Of what several hold
// alike there is one copy: whoever comes adopts the memory of the one that it has most in common with, so that of any
// two all common pages are the same. Memory is counted by block, each once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/session/timeline.h"

namespace lfm::engine {

// For any number of threads.
class SessionStore {
 public:
  explicit SessionStore(std::uint64_t most_bytes) noexcept : most_bytes_(most_bytes) {}

  // The one of most use, and how many of the tokens it has a state of; null and 0 where none is of any.
  struct Found {
    std::shared_ptr<const Timeline> line;
    std::size_t tokens = 0;
  };
  Found find(std::span<const TokenId> tokens);

  // Holds a timeline. Those that it makes superfluous go, but for those of stems, which others go on from. False: it is
  // larger than all that may be held.
  enum class Kind : bool { kWhole, kStem };
  bool keep(Timeline line, Kind kind);

  // Likewise, as the one that wasn't used for longest, where there is room. False: there isn't.
  bool keep_last(Timeline line);

  // All that hold what no other one does, the last used ones first.
  std::vector<std::shared_ptr<const Timeline>> lines() const;

  void clear();

  struct Stats {
    std::size_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t evicted = 0;
  };
  Stats stats() const;
  std::uint64_t most_bytes() const noexcept { return most_bytes_; }

 private:
  struct Entry {
    explicit Entry(Timeline timeline, Kind kind_)
        : line(std::make_shared<const Timeline>(std::move(timeline))), kind(kind_), blocks(line->shared_blocks()) {}

    std::shared_ptr<const Timeline> line;
    Kind kind;
    std::vector<Timeline::Block> blocks;
  };
  using Entries = std::list<Entry>;

  void adopt(Timeline& line) const;
  Entries::iterator holder_of(const Entry& entry);
  void drop_superfluous(Entry& by, Entries& gone) noexcept;
  void count(const Entry& entry);
  void discount(std::span<const Timeline::Block> blocks) noexcept;
  void drop(Entries::iterator entry, Entries& gone) noexcept;

  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;                                         // the last used one is first
  std::unordered_map<const void*, std::uint32_t> holders_;  // of each block
  std::uint64_t bytes_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace lfm::engine
