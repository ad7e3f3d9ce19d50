#include <optional>

#include "command.h"
#include "io.h"
#include "talk/answer_view.h"
#include "talk/history_file.h"
#include "talk/interruptible.h"
#include "talk/line_editor.h"
#include "talk/message_lines.h"
#include "talk/modes.h"
#include "talk/obey.h"
#include "talk/signals.h"
#include "talk/style.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

using End = LineEditor::End;

class Terminal {
 public:
  Terminal(Talk& talk, const ViewOptions& options)
      : talk_(talk),
        options_(options),
        style_{wants_colours()},
        editor_(signals_, complete_command),
        history_(options.history),
        keep_(!options.history.empty()) {}

  int run() {
    load_history();
    greet();
    while (!leaving_) {
      const LineEditor::Line line = editor_.read(style_.prompt(lines_.begun() ? ". " : "> "));
      if (line.end == End::kInputEnds) leave(kOk);
      if (line.end == End::kCtrlC) on_interrupt();
      if (line.end == End::kLine) on_line(line.text);
    }
    return *leaving_;
  }

 private:
  // The first Ctrl-C takes back what was typed, the next one leaves.
  void on_interrupt() {
    lines_.drop();
    if (interrupted_) return leave(kInterrupted);
    interrupted_ = true;
    say("Ctrl-C again, or Ctrl-D, leaves");
  }

  void on_line(const std::string& text) {
    interrupted_ = false;
    if (!lines_.add(text)) return;
    const std::string input = lines_.text();
    if (input.find_first_not_of(" \t\n") == std::string::npos) return;
    remember(lines_.quoted() ? "\"\"\"" + input + "\"\"\"" : input);
    if (lines_.quoted()) return ask(input);
    auto request = parse_request(input);
    if (!request.ok()) return complain(request.error());
    obey_request(*request);
  }

  void obey_request(const Request& request) {
    switch (request.verb) {
      case Verb::kSay:
        return ask(request.text);
      case Verb::kEdit:
        return edit(request.number);
      case Verb::kRegenerate:
        return regenerate();
      case Verb::kExit:
        return leave(kOk);
      default:
        break;
    }
    auto lines = obey(talk_, request);
    if (!lines.ok()) return complain(lines.error());
    for (const std::string& line : *lines) say(line);
  }

  void ask(std::string question) {
    const std::size_t before = talk_.conversation().messages.size();
    talk_.add({Role::kUser, std::move(question)});
    answer(before);
  }

  void edit(std::size_t number) {
    const auto place = talk_.conversation().place_of(number);
    if (!place.ok()) return complain(place.error());
    const LineEditor::Line line = editor_.read(style_.prompt("> "), talk_.conversation().messages[*place].content);
    if (line.end != End::kLine || line.text.find_first_not_of(" \t\n") == std::string::npos)
      return say("nothing was changed");
    remember(line.text);
    talk_.cut(*place);
    ask(line.text);
  }

  void regenerate() {
    if (const Status status = talk_.take_answer(); !status.ok()) return complain(status.error());
    answer(talk_.conversation().messages.size());
  }

  // Answers, and goes on as long as calls get their results. Where the answer fails, only the first `before` messages
  // are kept.
  void answer(std::size_t before) {
    do {
      if (!answer_once()) return talk_.cut(before);
      before = talk_.conversation().messages.size();
    } while (!leaving_ && give_results());
  }

  bool answer_once() {
    const QuietKeyboard quiet;
    AnswerView view(style_, options_.thinking);
    bool writable = true;
    auto answer =
        answer_interruptibly(talk_, kPatience, [&](const Piece& piece) { return writable = view.show(piece); });
    if (!answer.ok()) {
      complain(answer.error());
      return false;
    }
    if (answer->finish.reason == FinishReason::kCancelled && answer->finish.tokens == 0) {
      say("(stopped before the answer; /regen answers it)");
    } else {
      writable = view.finish(answer->finish) && writable;
    }
    if (!writable) leave(fail("cannot write to standard output"));
    return true;
  }

  // Asks for the results of the calls of the last answer; whether all are there now.
  bool give_results() {
    const std::vector<ToolCall> calls = talk_.conversation().open_calls();
    const std::size_t before = talk_.conversation().messages.size();
    for (const ToolCall& call : calls) {
      const LineEditor::Line line = editor_.read(style_.prompt(shown(call.name) + " returns: "));
      if (line.end != End::kLine || line.text.empty()) {
        talk_.cut(before);
        say("no result; the model doesn't get to know one");
        return false;
      }
      talk_.add({Role::kTool, line.text});
    }
    return !calls.empty();
  }

  void greet() {
    const ModelInfo& info = talk_.engine().info();
    say((info.name.empty() ? info.architecture : info.name) + ", " + std::to_string(talk_.session().context_tokens()) +
        " tokens of context; /help lists the commands");
  }

  void say(std::string_view line) {
    write_out(std::string(style_.dim()) + shown(line) + std::string(style_.plain()) + "\n");
    if (!flush_out()) leave(kFailure);
  }

  void complain(const Error& error) {
    write_out(std::string(style_.wrong()) + shown(error.describe()) + std::string(style_.plain()) + "\n");
    if (!flush_out()) leave(kFailure);
  }

  void leave(int status) { leaving_ = status; }

  void load_history() {
    if (!keep_) return;
    auto entries = history_.load();
    if (!entries.ok()) return give_up_history(entries.error());
    for (const std::string& entry : *entries) editor_.remember(entry);
  }

  void remember(const std::string& input) {
    editor_.remember(input);
    if (!keep_) return;
    if (const Status status = history_.add(input); !status.ok()) give_up_history(status.error());
  }

  void give_up_history(const Error& error) {
    keep_ = false;
    say("note: what you type isn't kept: " + error.describe());
  }

  static constexpr int kPatience = 2;  // Ctrl-C during one answer that don't end the program

  Talk& talk_;
  const ViewOptions& options_;
  Style style_;
  TerminalSignals signals_;
  LineEditor editor_;
  HistoryFile history_;
  bool keep_;  // what is typed
  MessageLines lines_;
  bool interrupted_ = false;  // by the last key but one
  std::optional<int> leaving_;
};

}  // namespace

int talk_at_terminal(Talk& talk, const ViewOptions& options) {
  return Terminal(talk, options).run();
}

}  // namespace lfm::cli
