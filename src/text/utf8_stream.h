// Token bytes in, text out: a token may end inside a code point, which nobody should see half of.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "text/utf8.h"

namespace lfm::text {

class Utf8Stream {
 public:
  enum class Mode {
    kText,  // out comes UTF-8: ill-formed bytes become U+FFFD, one for each maximal subpart
    kRaw,   // out come the bytes that went in, at once
  };

  explicit Utf8Stream(Mode mode = Mode::kText) noexcept : mode_(mode) {}

  // Appends to `out` all that is decided; up to 3 bytes that may become a code point stay here.
  void push(std::string_view bytes, std::string& out);

  // The text is over: what stayed here is appended as U+FFFD. The stream is as new then.
  void flush(std::string& out);

 private:
  Mode mode_;
  std::array<char, 4> held_{};  // the beginning of one code point
  std::size_t held_size_ = 0;
};

}  // namespace lfm::text
