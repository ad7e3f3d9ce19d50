// The line editor where libedit isn't there: the terminal's own editing, no history and no completion.
#include <unistd.h>

#include <algorithm>

#include "base/descriptor.h"
#include "talk/line_editor.h"

namespace lfm::cli {
namespace {

void show(std::string text) {
  std::erase(text, '\1');  // around escape sequences, for editors that count columns
  (void)base::write_all(STDOUT_FILENO, text);
}

}  // namespace

struct LineEditor::Editor {
  TerminalSignals& signals;
};

LineEditor::LineEditor(TerminalSignals& signals, Completion)
    : editor_(std::make_unique<Editor>(Editor{signals})) {}
LineEditor::~LineEditor() = default;

// What has begun can't be changed, only gone on with.
LineEditor::Line LineEditor::read(const std::string& prompt, std::string_view begun) {
  Line line{End::kLine, std::string(begun)};
  show(prompt + line.text);
  while (true) {
    switch (editor_->signals.wait()) {
      case TerminalSignals::Event::kInput: {
        char byte = 0;
        if (base::read_some(STDIN_FILENO, {&byte, 1}) <= 0) return {};
        if (byte == '\n') return line;
        line.text += byte;
        break;
      }
      case TerminalSignals::Event::kInterrupt:
        show("\n");
        return {End::kCtrlC};
      case TerminalSignals::Event::kStop:
        editor_->signals.stop();
        break;
      case TerminalSignals::Event::kContinue:
        show(prompt + line.text);
        break;
      case TerminalSignals::Event::kResize:
        break;
      case TerminalSignals::Event::kLost:
        return {};
    }
  }
}

void LineEditor::remember(const std::string&) {}

}  // namespace lfm::cli
