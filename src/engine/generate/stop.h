// Stop strings: a generation ends where its text first contains one of them, and nobody gets to see any of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::engine {

// Fed with text as it comes, in pieces of any size: passes on what can't be part of a stop string, and keeps the rest
// until that is decided. Works on bytes, so that it may stand before or after a Utf8Stream. Linear in the text for each
// stop string (Knuth, Morris, Pratt); no allocation of its own in push and flush.
class StopMatcher {
 public:
  // No strings at all is fine: everything is passed on. kArgument: an empty one (its index is given).
  static Result<StopMatcher> create(std::vector<std::string> stops);

  // Appends to `out` what is decided. True when a stop string is complete: the text ends before it, what came after it
  // in `text` is dropped, and nothing may be pushed until reset(). The one that is complete first counts; of those that
  // end at the same byte, the longest.
  bool push(std::string_view text, std::string& out);

  // The text is over without a stop string: appends what was kept. Nothing after a stop.
  void flush(std::string& out);

  // Bytes at the end of the text so far that are, or may become, a stop string.
  std::size_t held() const noexcept { return stopped_by_ ? stops_[*stopped_by_].text.size() : kept().size(); }

  // As new.
  void reset() noexcept;

  // The string that ended the text, as an index into what create() was given.
  std::optional<std::size_t> stopped_by() const noexcept { return stopped_by_; }

 private:
  struct Stop {
    std::string text;
    std::vector<std::size_t> border;  // border[i]: the longest proper prefix of text that ends text[0, i + 1)
    std::size_t matched = 0;          // length of the longest prefix of text that the input so far ends with

    explicit Stop(std::string stop);
    void advance(char next) noexcept;
  };

  std::string_view kept() const noexcept;

  std::vector<Stop> stops_;
  std::optional<std::size_t> stopped_by_;
};

}  // namespace lfm::engine
