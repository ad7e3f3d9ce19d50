#include "talk/interruptible.h"

#include "interrupt.h"

namespace lfm::cli {

Result<Answer> answer_interruptibly(Talk& talk, int patience, const Chat::PieceCallback& callback) {
  talk.session().clear_cancel();
  const InterruptGuard guard(talk.session(), patience);
  return talk.answer(callback);
}

}  // namespace lfm::cli
