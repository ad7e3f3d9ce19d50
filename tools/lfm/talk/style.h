// How things look on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lfm::cli {

// Whether standard output is a terminal; and one that shows colours, which its user wants (https://no-color.org).
bool on_terminal();
bool wants_colours();

// Columns of the terminal that standard output is; 0 where that isn't known.
std::size_t terminal_columns();

// How the text of answers is shown.
struct TextStyle {
  std::size_t columns = 0;  // that lines are broken to, between words; 0: they aren't
  bool markdown = false;    // is made readable
};

// On this terminal; `plain`: as the text is.
TextStyle text_style(bool plain);

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
