// Text from elsewhere made fit for a terminal: it can't move the cursor, change colours, set the clipboard, or make the
// terminal answer, nor show in another order than it is written.
#pragma once

#include <string>
#include <string_view>

namespace lfm::cli {

// Takes a text in pieces, cut anywhere, and hands it out as it may be shown. Line breaks and tabs stay; other control
// characters become their pictures (ESC is U+241B), invisible and reordering ones their number (<U+202E>), and bytes
// that aren't UTF-8 become U+FFFD.
class TerminalText {
 public:
  std::string show(std::string_view bytes);

  // What is left when the text ends: an incomplete character becomes U+FFFD.
  std::string finish();

 private:
  std::string pending_;  // the beginning of a character: at most 3 bytes
};

// A whole text.
std::string shown(std::string_view text);

// The name of a file, or a sentence that may hold one: line breaks become pictures too.
std::string shown_name(std::string_view name);

}  // namespace lfm::cli
