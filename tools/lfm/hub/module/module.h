// What the program and its module agree on.
#pragma once

#include "hub/transport.h"

namespace lfm::hub {

inline constexpr const char* kModuleFile = "lfm-hub.so";
inline constexpr const char* kModuleFunction = "lfm_hub_transport";

}  // namespace lfm::hub

// The one transport of the process; null where the program is of another version.
extern "C" [[gnu::visibility("default")]] lfm::hub::Transport* lfm_hub_transport(const char* version);
