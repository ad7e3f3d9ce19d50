// Small files, written whole.
#pragma once

#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

// Makes the file's content this one, completely or not at all, for its owner alone unless `mode` says otherwise.
// kIo; kState where another program is about to do so.
Status replace_file(const std::string& path, std::string_view bytes, unsigned mode = 0600);

// What would keep it from that by now, which is better told before long work than after it.
Status can_replace_file(const std::string& path);

}  // namespace lfm::cli
