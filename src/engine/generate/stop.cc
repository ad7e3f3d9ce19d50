#include "engine/generate/stop.h"

#include <algorithm>
#include <utility>

namespace lfm::engine {

StopMatcher::Stop::Stop(std::string stop) : text(std::move(stop)), border(text.size(), 0) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    std::size_t length = border[i - 1];
    while (length > 0 && text[length] != text[i]) length = border[length - 1];
    border[i] = text[length] == text[i] ? length + 1 : 0;
  }
}

void StopMatcher::Stop::advance(char next) noexcept {
  while (matched > 0 && text[matched] != next) matched = border[matched - 1];
  if (text[matched] == next) ++matched;
}

Result<StopMatcher> StopMatcher::create(std::vector<std::string> stops) {
  StopMatcher matcher;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    if (stops[i].empty()) return Error{ErrorCode::kArgument, "a stop string is empty", "stop", i};
    matcher.stops_.emplace_back(std::move(stops[i]));
  }
  return matcher;
}

bool StopMatcher::push(std::string_view text, std::string& out) {
  // What is undecided is always the beginning of a stop string, so that it needs no storage of its own: undecided are
  // the last bytes of `before` and then `text`, of which some prefix is to be passed on.
  const std::string_view before = kept();
  const auto pass = [&](std::size_t length) {
    out += before.substr(0, length);
    if (length > before.size()) out += text.substr(0, length - before.size());
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (Stop& stop : stops_) stop.advance(text[i]);
    for (std::size_t s = 0; s < stops_.size(); ++s) {
      if (stops_[s].matched < stops_[s].text.size()) continue;
      if (!stopped_by_ || stops_[s].text.size() > stops_[*stopped_by_].text.size()) stopped_by_ = s;
    }
    if (stopped_by_) {
      pass(before.size() + i + 1 - stops_[*stopped_by_].text.size());
      return true;
    }
  }
  pass(before.size() + text.size() - kept().size());
  return false;
}

void StopMatcher::flush(std::string& out) {
  if (!stopped_by_) out += kept();
  reset();
}

void StopMatcher::reset() noexcept {
  for (Stop& stop : stops_) stop.matched = 0;
  stopped_by_.reset();
}

// The longest end of the input that may be the start of a stop string.
std::string_view StopMatcher::kept() const noexcept {
  std::string_view longest;
  for (const Stop& stop : stops_) {
    if (stop.matched > longest.size()) longest = std::string_view(stop.text).substr(0, stop.matched);
  }
  return longest;
}

}  // namespace lfm::engine
