#include "talk/interruptible.h"

#include "interrupt.h"

namespace lfm::cli {

Result<Answer> answer_interruptibly(Talk& talk, int patience, const Chat::PieceCallback& callback) {
  const InterruptGuard guard(talk.session(), patience);
  bool wanted = true;
  const auto watched = [&](const Piece& piece) { return wanted = callback(piece); };
  auto answer = talk.answer(watched);
  const bool cancelled =
      answer.ok() ? answer->finish.reason == FinishReason::kCancelled : answer.error().code == ErrorCode::kCancelled;
  // Session::cancel() holds until something is cancelled.
  if (cancelled && wanted && !InterruptGuard::interrupted()) return talk.answer(watched);
  return answer;
}

}  // namespace lfm::cli
