#include "command.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "talk/advice.h"
#include "talk/model_text.h"
#include "talk/modes.h"
#include "talk/reading_line.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

class Printer {
 public:
  Printer(bool thinking, bool plain) : out_(text_style(plain)), thinking_(thinking) {}

  bool show(const Piece& piece) {
    if (piece.kind == PieceKind::kReasoning) return think(piece.text);
    if (thought_) write_err("\n");
    thought_ = false;
    const bool call = piece.kind == PieceKind::kToolCall;
    if (call && out_.line_begun() && !out_.write_as_is("\n")) return false;
    return call ? out_.write_as_is(std::string(piece.text) + "\n") : out_.write(piece.text);
  }

  bool finish() {
    if (thought_) write_err("\n");
    return out_.finish() && (!out_.line_begun() || out_.write_as_is("\n"));
  }

 private:
  bool think(std::string_view text) {
    if (thinking_) write_err(shown(text));
    thought_ = thinking_;
    return true;
  }

  ModelText out_;
  bool thinking_;
  bool thought_ = false;  // thinking was the last thing to be shown
};

}  // namespace

int ask_once(Talk& talk, std::string question, const ViewOptions& options) {
  talk.add({Role::kUser, std::move(question)});
  InterruptGuard guard(talk.session());
  Printer printer(options.thinking, options.plain);
  ReadingLine reading;
  bool writable = true;
  auto answer = talk.answer(
      [&](const Piece& piece) {
        reading.end();
        return writable = printer.show(piece);
      },
      reading.progress());
  reading.end();
  if (!answer.ok()) {
    const Error& error = answer.error();
    if (error.code != ErrorCode::kLimit || error.field != "tokens") return fail(error);
    const auto prompt = talk.chat().render(talk.conversation().all());
    return fail(prompt.ok() ? Error{error.code, no_room(prompt->size(), talk.context_tokens(), talk.engine().info())}
                            : error);
  }
  if (!writable || !printer.finish()) return fail_to_write();
  if (InterruptGuard::interrupted()) return kInterrupted;
  if (answer->finish.empty()) return fail(answer->finish.describe());
  if (answer->finish.reason == FinishReason::kLength || answer->finish.reason == FinishReason::kContextFull)
    print_note(finish_note(answer->finish));
  return kOk;
}

}  // namespace lfm::cli
