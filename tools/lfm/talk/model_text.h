// What a model says, on standard output.
#pragma once

#include <string_view>

#include "talk/terminal_text.h"

namespace lfm::cli {

// The bytes as they are, unless standard output is a terminal: there they can do nothing but show.
class ModelText {
 public:
  ModelText();
  bool write(std::string_view text);  // false: standard output is gone
  bool finish();
  bool line_begun() const noexcept { return line_begun_; }  // the last line has no end yet

 private:
  bool terminal_;
  TerminalText text_;
  bool line_begun_ = false;
};

}  // namespace lfm::cli
