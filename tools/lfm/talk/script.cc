#include "command.h"
#include "input.h"
#include "io.h"
#include "talk/advice.h"
#include "talk/events.h"
#include "talk/interruptible.h"
#include "talk/modes.h"
#include "talk/obey.h"

namespace lfm::cli {
namespace {

bool print(const std::string& event) {
  return write_out(event + '\n') && flush_out();
}

class Script {
 public:
  explicit Script(Talk& talk) : talk_(talk) {}

  int run() {
    writable_ = print(ready_event(talk_, talk_.session().context_tokens()));
    while (writable_ && !leaving_) {
      const auto line = input_.next();
      if (!line.ok()) refuse(line.error());
      if (!line.ok() || !*line) break;
      if ((*line)->find_first_not_of(" \t\r") != std::string::npos) obey_line(**line);
    }
    if (!writable_) return fail_to_write();
    return failed_ ? kFailure : kOk;
  }

 private:
  void refuse(const Error& error) {
    failed_ = true;
    writable_ = print(error_event(error)) && writable_;
  }

  void obey_line(const std::string& text) {
    auto line = parse_script_line(text);
    if (!line.ok()) return refuse(line.error());
    const Request& request = line->request;
    Talk::Mark before = talk_.mark();
    switch (request.verb) {
      case Verb::kExit:
        leaving_ = true;
        return;
      case Verb::kSay:
        return take(std::move(line->message), std::move(before));
      case Verb::kEdit: {
        const auto place = talk_.conversation().place_of(request.number);
        if (!place.ok()) return refuse(place.error());
        talk_.cut(*place);
        return take(std::move(line->message), std::move(before));
      }
      case Verb::kRegenerate:
        if (const Status status = talk_.take_answer(); !status.ok()) return refuse(status.error());
        return answer(std::move(before));
      default:
        break;
    }
    auto lines = obey(talk_, request);
    if (!lines.ok()) return refuse(lines.error());
    writable_ = print(done_event(text.substr(0, text.find_first_of(" \t\r")), *lines));
  }

  // A question is answered at once, calls when the last result is there.
  void take(Message message, Talk::Mark before) {
    const Conversation& conversation = talk_.conversation();
    switch (message.role) {
      case Role::kSystem:
        talk_.set_system(std::move(message.content));
        writable_ = print(done_event("system", {}));
        return;
      case Role::kAssistant:
        talk_.set_answer(std::move(message));
        writable_ = print(done_event("assistant", {}));
        return;
      case Role::kTool:
        if (conversation.open_calls().empty())
          return refuse(Error{ErrorCode::kState, "no call waits for a result"});
        talk_.add(std::move(message));
        if (!conversation.open_calls().empty()) return;
        break;
      case Role::kUser:
        talk_.add(std::move(message));
    }
    answer(std::move(before));
  }

  void answer(Talk::Mark before) {
    auto answer =
        answer_interruptibly(talk_, 1, [&](const Piece& piece) { return writable_ = print(piece_event(piece)); });
    if (!answer.ok()) {
      talk_.back_to(std::move(before));
      return refuse(with_advice(answer.error(), talk_));
    }
    writable_ = writable_ && print(finish_event(*answer, talk_.tally().last_prompt_seconds));
  }

  Talk& talk_;
  InputLines input_;
  bool writable_ = true;
  bool leaving_ = false;
  bool failed_ = false;
};

}  // namespace

int talk_to_script(Talk& talk) {
  return Script(talk).run();
}

}  // namespace lfm::cli
