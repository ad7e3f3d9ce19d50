#include "talk/interruptible.h"

#include "interrupt.h"

namespace lfm::cli {

Result<Answer> answer_interruptibly(Talk& talk, int patience, const Chat::PieceCallback& callback,
                                    ProgressCallback progress) {
  talk.session().clear_cancel();
  const InterruptGuard guard(talk.session(), patience);
  return talk.answer(callback, std::move(progress));
}

}  // namespace lfm::cli
