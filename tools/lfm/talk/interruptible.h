// Answers that Ctrl-C stops.
#pragma once

#include "talk/talk.h"

namespace lfm::cli {

// Talk::answer(). Ctrl-C ends it; of those in one answer, so many don't end the program. One that came too late for the
// answer before doesn't count.
Result<Answer> answer_interruptibly(Talk& talk, int patience, const Chat::PieceCallback& callback,
                                    ProgressCallback progress = nullptr);

}  // namespace lfm::cli
