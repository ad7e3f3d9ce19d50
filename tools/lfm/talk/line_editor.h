// Lines typed at a terminal, with editing, history and completion: libedit, with what it lacks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "talk/message_lines.h"
#include "talk/signals.h"

namespace lfm::cli {

// Keys as in the shell (Emacs's, or what the user's ~/.editrc says). Text pasted into a terminal that brackets it, and
// lines that Alt-Enter breaks, stay one input. The terminal is in its usual mode between two read().
class LineEditor {
 public:
  // Completes the word before the cursor, the first of its line; returns what it could be.
  using Completion = std::vector<std::string> (*)(std::string_view beginning);

  LineEditor(TerminalSignals& signals, Completion completion);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End { kLine, kCtrlC, kInputEnds };
  struct Line {
    End end = End::kInputEnds;
    std::string text = {};  // without the line break at its end
    MessageLines::Pasted pasted = {false, false};
  };

  // The prompt may hold escape sequences, each between two bytes of value 1. `begun` is there already, to be changed.
  Line read(const std::string& prompt, std::string_view begun = {});

  // The arrow keys bring it back.
  void remember(const std::string& text);

 private:
  struct Editor;
  std::unique_ptr<Editor> editor_;
};

}  // namespace lfm::cli
