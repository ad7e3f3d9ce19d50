// Where things of the user's are kept, as the XDG base directory specification has it.
#pragma once

#include <string>

namespace lfm::cli {

// lfm's own folders; empty where the system doesn't tell.
std::string user_cache_folder();
std::string user_state_folder();

// "~/talk.json" with the user's home folder.
std::string with_home(const std::string& path);

}  // namespace lfm::cli
