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

 private:
  bool terminal_;
  TerminalText text_;
};

}  // namespace lfm::cli
