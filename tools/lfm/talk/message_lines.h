// Messages of several lines, typed line by line.
#pragma once

#include <string>
#include <string_view>

namespace lfm::cli {

// Puts the lines of one input together: a line that ends in an odd number of backslashes goes on in the next, without
// the last of them; a line that begins with """ begins a block that goes as far as a line that ends with """.
class MessageLines {
 public:
  // Where a line was pasted: what is pasted has no meaning but its own.
  struct Pasted {
    bool begin = false;
    bool end = false;
  };

  // Whether the input is complete; the next line begins another one. The line may hold line breaks.
  bool add(std::string_view line, Pasted pasted = {false, false});

  const std::string& text() const noexcept { return text_; }
  bool literal() const noexcept { return literal_; }  // a message whatever it begins with: pasted, or between """
  bool begun() const noexcept { return open_; }     // more lines are to come
  void drop() { *this = MessageLines(); }

 private:
  bool add_quoted(std::string_view line, Pasted pasted);

  std::string text_;
  bool open_ = false;
  bool quoted_ = false;   // between """
  bool literal_ = false;
};

}  // namespace lfm::cli
