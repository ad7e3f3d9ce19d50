// What a model says, on standard output.
#pragma once

#include <optional>
#include <string_view>

#include "talk/markdown.h"
#include "talk/style.h"
#include "talk/terminal_text.h"

namespace lfm::cli {

// The bytes as they are, unless standard output is a terminal: there they can do nothing but show, and what is Markdown
// can be made readable.
class ModelText {
 public:
  explicit ModelText(const TextStyle& style = {});
  bool write(std::string_view text);        // false: standard output is gone
  bool write_as_is(std::string_view text);  // what is no Markdown
  bool finish();
  bool line_begun() const noexcept { return line_begun_; }  // the last line has no end yet

 private:
  bool print(std::string_view text);

  bool terminal_;
  TerminalText text_;
  TextStyle style_;
  std::optional<Markdown> markdown_;
  bool line_begun_ = false;
};

}  // namespace lfm::cli
