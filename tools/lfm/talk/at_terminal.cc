#include <optional>

#include "command.h"
#include "io.h"
#include "talk/advice.h"
#include "talk/answer_view.h"
#include "talk/history_file.h"
#include "talk/interruptible.h"
#include "talk/line_editor.h"
#include "talk/message_lines.h"
#include "talk/modes.h"
#include "talk/obey.h"
#include "talk/reading_line.h"
#include "talk/signals.h"
#include "talk/style.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

using End = LineEditor::End;

// What can be typed to say this, whatever it begins or ends with.
std::string spelt(const std::string& message) {
  MessageLines lines;
  const bool plain = lines.add(message) && lines.text() == message && !lines.literal() && !message.starts_with('/');
  return plain ? message : "\"\"\"" + message + "\"\"\"";
}

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
      if (line.end == End::kLine) on_line(line);
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

  void on_line(const LineEditor::Line& line) {
    interrupted_ = false;
    if (!lines_.add(line.text, line.pasted)) return;
    const std::string input = lines_.text();
    if (input.find_first_not_of(" \t\n") == std::string::npos) return;
    remember(lines_.literal() ? spelt(input) : input);
    if (lines_.literal()) return ask(input);
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
    Talk::Mark before = talk_.mark();
    talk_.add({Role::kUser, std::move(question)});
    answer(std::move(before));
  }

  void edit(std::size_t number) {
    const auto place = talk_.conversation().place_of(number);
    if (!place.ok()) return complain(place.error());
    const LineEditor::Line line = editor_.read(style_.prompt("> "), talk_.conversation().messages[*place].content);
    if (line.end != End::kLine || line.text.find_first_not_of(" \t\n") == std::string::npos)
      return say("nothing was changed");
    remember(spelt(line.text));
    Talk::Mark before = talk_.mark();
    talk_.cut(*place);
    talk_.add({Role::kUser, line.text});
    answer(std::move(before));
  }

  void regenerate() {
    Talk::Mark before = talk_.mark();
    if (const Status status = talk_.take_answer(); !status.ok()) return complain(status.error());
    answer(std::move(before));
  }

  // Answers, and goes on as long as calls get their results. Where an answer fails, all is as it was before.
  void answer(Talk::Mark before) {
    do {
      if (!answer_once()) return talk_.back_to(std::move(before));
      before = talk_.mark();
    } while (!leaving_ && give_results());
  }

  bool answer_once() {
    const QuietKeyboard quiet;
    AnswerView view(style_, options_.thinking, text_style(options_.plain));
    ReadingLine reading;
    bool writable = true;
    const auto show = [&](const Piece& piece) {
      reading.end();
      return writable = view.show(piece);
    };
    auto answer = answer_interruptibly(talk_, kPatience, show, reading.progress());
    reading.end();
    if (!answer.ok()) {
      complain(with_advice(answer.error(), talk_));
      return false;
    }
    if (answer->finish.reason == FinishReason::kCancelled && answer->finish.tokens == 0) {
      say("(stopped before the answer; /regen answers it)");
    } else {
      writable = view.finish(answer->finish) && writable;
      if (answer->finish.reason == FinishReason::kContextFull) say(room_advice(talk_));
    }
    if (!writable) leave(fail_to_write());
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
