// The commands that don't ask the model anything.
#pragma once

#include <string>
#include <vector>

#include "lfm/result.h"
#include "talk/request.h"
#include "talk/talk.h"

namespace lfm::cli {

// Does what is asked, and returns the lines to say about it, which may hold text from files and from the model: not fit
// for a terminal as they are. kSay, kEdit, kRegenerate and kExit are the caller's: kState. Errors leave all as it was.
Result<std::vector<std::string>> obey(Talk& talk, const Request& request);

// A tool list from a file, as ChatOptions has it; "clear" is none. kIo, kLimit, kFormat.
Result<std::string> read_tools(const std::string& path);

}  // namespace lfm::cli
