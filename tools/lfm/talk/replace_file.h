// Small files that belong to the user.
#pragma once

#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

// Makes the file's content this one, completely or not at all, for its owner alone. kIo; kState where another program
// is about to do so.
Status replace_file(const std::string& path, std::string_view bytes);

}  // namespace lfm::cli
