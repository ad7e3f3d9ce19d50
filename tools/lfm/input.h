// What the program is given to read: texts in files and on standard input. A byte order mark is left out, with a note;
// UTF-16 is told. Pipes that don't block are waited for, and at a terminal one line says what is awaited.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm::cli {

// The largest text or id list that is read.
inline constexpr std::size_t kMaxInputBytes = std::size_t{256} << 20;

// Takes what a text of this name begins with that came from another system: a byte order mark, with a note. kFormat for
// UTF-16.
Status take_mark(std::string& text, const std::string& name);

// Everything of a file, or of standard input for "-". kIo; kLimit; kFormat where it is UTF-16.
Result<std::string> read_input(const std::string& path);

// Standard input, line by line.
class InputLines {
 public:
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

  // Without the line break; nothing at the end. Errors as of read_input(), after which there is nothing more.
  Result<std::optional<std::string>> next();

 private:
  std::string kept_;    // what was read
  std::size_t at_ = 0;  // behind the last line
  bool begun_ = false;
  bool ended_ = false;
};

// Ids separated by white space. kFormat with the index of the first that isn't one.
Result<std::vector<TokenId>> parse_ids(std::string_view text);

}  // namespace lfm::cli
