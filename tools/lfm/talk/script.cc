#include "command.h"
#include "io.h"
#include "talk/events.h"
#include "talk/interruptible.h"
#include "talk/modes.h"
#include "talk/obey.h"

namespace lfm::cli {
namespace {

constexpr std::size_t kLineBytes = std::size_t{64} << 20;

bool print(const Json& event) {
  return write_out(json_line(event) + '\n') && flush_out();
}

class Script {
 public:
  explicit Script(Talk& talk) : talk_(talk) {}

  int run() {
    writable_ = print(ready_event(talk_, talk_.session().context_tokens()));
    std::string line;
    while (writable_ && !leaving_ && next_line(line)) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) obey_line(line);
    }
    if (!writable_) return fail("cannot write to standard output");
    return failed_ ? kFailure : kOk;
  }

 private:
  // False at the end of the input.
  bool next_line(std::string& line) {
    line.clear();
    int c = 0;
    while ((c = std::getc(stdin)) != EOF && c != '\n') {
      if (line.size() < kLineBytes) line += static_cast<char>(c);
    }
    if (line.size() < kLineBytes) return c != EOF || !line.empty();
    refuse(Error{ErrorCode::kLimit, "a line is longer than 64 MiB"});
    return false;
  }

  void refuse(const Error& error) {
    failed_ = true;
    writable_ = print(error_event(error)) && writable_;
  }

  void obey_line(const std::string& text) {
    auto line = parse_script_line(text);
    if (!line.ok()) return refuse(line.error());
    const Request& request = line->request;
    switch (request.verb) {
      case Verb::kExit:
        leaving_ = true;
        return;
      case Verb::kSay:
        return add({line->role, request.text});
      case Verb::kEdit: {
        const auto place = talk_.conversation().place_of(request.number);
        if (!place.ok()) return refuse(place.error());
        talk_.cut(*place);
        return add({Role::kUser, request.text});
      }
      case Verb::kRegenerate:
        if (const Status status = talk_.take_answer(); !status.ok()) return refuse(status.error());
        answer();
        return;
      default:
        break;
    }
    auto lines = obey(talk_, request);
    if (!lines.ok()) return refuse(lines.error());
    writable_ = print(done_event(text.substr(0, text.find_first_of(" \t\r")), *lines));
  }

  // A question is answered at once, calls when the last result is there.
  void add(Message message) {
    const Conversation& conversation = talk_.conversation();
    const bool result = message.role == Role::kTool;
    if (result && conversation.open_calls().empty())
      return refuse(Error{ErrorCode::kState, "no call waits for a result"});
    const std::size_t before = conversation.messages.size();
    talk_.add(std::move(message));
    if (result && !conversation.open_calls().empty()) return;
    if (!answer()) talk_.cut(before);
  }

  bool answer() {
    auto answer =
        answer_interruptibly(talk_, 1, [&](const Piece& piece) { return writable_ = print(piece_event(piece)); });
    if (!answer.ok()) {
      refuse(answer.error());
      return false;
    }
    writable_ = writable_ && print(finish_event(*answer, talk_.tally().last_prompt_seconds));
    return true;
  }

  Talk& talk_;
  bool writable_ = true;
  bool leaving_ = false;
  bool failed_ = false;
};

}  // namespace

int talk_to_script(Talk& talk) {
  return Script(talk).run();
}

}  // namespace lfm::cli
