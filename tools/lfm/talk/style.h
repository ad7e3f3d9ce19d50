// How things look on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace lfm::cli {

// Whether standard output is a terminal; and one that shows colours, which its user wants (https://no-color.org).
bool on_terminal();
bool wants_colours();

struct Style {
  bool colours = false;

  std::string_view dim() const { return colours ? "\x1b[2m" : ""; }
  std::string_view call() const { return colours ? "\x1b[36m" : ""; }
  std::string_view wrong() const { return colours ? "\x1b[31m" : ""; }
  std::string_view plain() const { return colours ? "\x1b[0m" : ""; }

  // For LineEditor::read(): what isn't shown stands between bytes of value 1.
  std::string prompt(std::string_view text) const;
};

}  // namespace lfm::cli
