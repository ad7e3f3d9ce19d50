#include "talk/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace lfm::cli {

bool on_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool wants_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return on_terminal() && (refused == nullptr || refused[0] == '\0') && terminal != nullptr &&
         std::strcmp(terminal, "dumb") != 0;
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

TextStyle text_style(bool plain) {
  if (plain || !on_terminal()) return {};
  return {terminal_columns(), wants_colours()};
}

std::string Style::prompt(std::string_view text) const {
  if (!colours) return std::string(text);
  return "\1\x1b[1;32m\1" + std::string(text) + "\1\x1b[0m\1";
}

}  // namespace lfm::cli
