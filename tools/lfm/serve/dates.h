// The day that a conversation began on: a prompt that told another one after midnight would have to be read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <utility>

namespace lfm::serve {

// From any number of threads. Keeps those that were asked for last.
class Dates {
 public:
  // "2026-11-29", by the key of the conversation: what it begins with.
  std::string of(const std::string& beginning);

 private:
  static constexpr std::size_t kMost = 1024;
  std::mutex mutex_;
  std::list<std::pair<std::size_t, std::string>> known_;  // hashes; the one that was asked for last is first
};

}  // namespace lfm::serve
