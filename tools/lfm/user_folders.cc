#include "user_folders.h"

#include <cstdlib>

namespace lfm::cli {
namespace {

std::string folder(const char* variable, const char* below_home) {
  const char* const set = std::getenv(variable);
  if (set != nullptr && set[0] == '/') return std::string(set) + "/lfm";
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + below_home + "/lfm" : "";
}

}  // namespace

std::string user_cache_folder() {
  return folder("XDG_CACHE_HOME", "/.cache");
}

std::string user_state_folder() {
  return folder("XDG_STATE_HOME", "/.local/state");
}

std::string with_home(const std::string& path) {
  const char* const home = std::getenv("HOME");
  return path.starts_with("~/") && home != nullptr ? home + path.substr(1) : path;
}

}  // namespace lfm::cli
