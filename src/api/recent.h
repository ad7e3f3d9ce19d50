// What was made and asked for last, by what it was made from. For any number of threads, which don't wait for what
// another one makes.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "lfm/result.h"

namespace lfm {

template <typename Value>
class Recent {
 public:
  explicit Recent(std::size_t capacity) : capacity_(capacity) {}

  // Made where it isn't kept; errors are handed on, and not kept. Of threads that make one at a time the first's is
  // kept, and handed out to all.
  template <typename Make>
  Result<Value> get(const std::string& key, const Make& make) {
    if (auto kept = find(key)) return *std::move(kept);
    LFM_ASSIGN(Value made, make());
    const std::lock_guard lock(mutex_);
    if (const Value* kept = use(key)) return *kept;
    entries_.emplace_front(key, made);
    if (entries_.size() > capacity_) entries_.pop_back();
    return made;
  }

 private:
  std::optional<Value> find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const Value* kept = use(key);
    return kept != nullptr ? std::optional<Value>(*kept) : std::nullopt;
  }

  const Value* use(std::string_view key) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->first != key) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return &entry->second;
    }
    return nullptr;
  }

  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<std::pair<std::string, Value>> entries_;  // the last used one in front
};

}  // namespace lfm
