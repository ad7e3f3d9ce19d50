// Text in lines that end between words, with looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lfm::cli {

// How a character looks: any of these together.
enum Look : std::uint8_t { kNormal = 0, kBold = 1, kItalic = 2, kCode = 4, kFaint = 8 };

// Takes characters one by one and hands out what can be shown of them for good: a word once it has ended, since only
// then it is known on which line it stands. Nothing that was shown is taken back.
class WrappedText {
 public:
  // Columns of the terminal; 0: lines are never broken. Without looks no escape sequence is written.
  WrappedText(std::size_t columns, bool looks);

  void put(std::string_view character, std::uint8_t look);  // a line break as well
  void put_all(std::string_view text, std::uint8_t look);
  void set_wrapping(bool on);  // off: as it is, at once
  void hang();                 // lines that the rest of this one is broken into begin here
  void finish();               // the word is over, and its look

  std::string take();  // what may be shown by now

 private:
  struct Cell {
    std::string text;
    std::uint8_t look;
  };

  void end_word();
  void new_line();
  void show(std::string_view text, std::uint8_t look);

  const std::size_t columns_;
  const bool looks_;
  bool wrapping_ = false;
  std::string out_;
  std::uint8_t shown_look_ = kNormal;  // of the last that was shown
  std::size_t column_ = 0;             // behind what was shown
  std::size_t indent_ = 0;
  std::vector<Cell> gap_;   // spaces before the word
  std::vector<Cell> word_;  // that isn't over
  std::size_t width_ = 0;   // of the word
  bool begun_ = false;      // it is longer than a line, and was shown in part
};

// Calls visit(character) for each character of a text in UTF-8.
template <typename Visit>
void each_character(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    std::size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
    visit(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
}

}  // namespace lfm::cli
