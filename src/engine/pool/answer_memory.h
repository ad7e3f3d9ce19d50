// What was answered to which conversation: thinking and tokens, which clients don't send back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lfm/chat.h"

namespace lfm::engine {

// For any number of threads. Conversations are told apart by 128 bits that nobody outside can compute, so that none is
// given another one's thinking.
class AnswerMemory {
 public:
  explicit AnswerMemory(std::uint64_t most_bytes);

  // `date` as ChatOptions has it.
  void remember(std::span<const Message> conversation, const Message& answer, const std::string& date);

  // As SessionPool::recall().
  void recall(std::span<Message> messages);

  // Of the first answer that is known; empty where none is.
  std::string date(std::span<const Message> messages);

  struct Stats {
    std::size_t answers = 0;
    std::uint64_t bytes = 0;
  };
  Stats stats() const;
  void clear();

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct Entry {
    Key key;
    Message answer;
    std::string date;
    std::uint64_t bytes;
  };
  using Entries = std::list<Entry>;

  Key next(const Key& before, const Message& message) const;
  // The entry of an answer whose conversation up to its end has this key, now the last used one. The lock is held.
  const Entry* find(const Key& key);

  const std::uint64_t most_bytes_;
  const Key begin_;
  mutable std::mutex mutex_;
  Entries entries_;  // the last used one is first
  std::map<Key, Entries::iterator> places_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lfm::engine
