#include "serve/dates.h"

#include <algorithm>
#include <ctime>
#include <functional>

namespace lfm::serve {
namespace {

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts));
}

}  // namespace

std::string Dates::of(const std::string& beginning) {
  const std::size_t key = std::hash<std::string>()(beginning);
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(known_.begin(), known_.end(), [key](const auto& one) { return one.first == key; });
  if (found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
  } else {
    known_.emplace_front(key, today());
    if (known_.size() > kMost) known_.pop_back();
  }
  return known_.front().second;
}

}  // namespace lfm::serve
