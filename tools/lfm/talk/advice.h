// What to do about an error.
#pragma once

#include <string>

#include "talk/talk.h"

namespace lfm::cli {

// The error, and where the conversation doesn't fit its context, what makes room.
Error with_advice(Error error, const Talk& talk);

// Why an answer ended, and what lets it be longer.
std::string finish_note(const Finish& finish);

// "/clear forgets the conversation, ..."
std::string room_advice(const Talk& talk);

}  // namespace lfm::cli
