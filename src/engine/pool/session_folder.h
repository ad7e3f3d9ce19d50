// A folder of saved sessions: 0000-0123456789abcdef.session, by how lately they were used, and by what they hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session/timeline.h"
#include "lfm/result.h"

namespace lfm::engine {

bool is_saved_name(std::string_view name);

// Has the folder hold these, the last used one first, and no others. What is there already is renamed, not written
// again; files of other names stay. The first error is told after all were tried.
Status save_lines(const std::vector<std::shared_ptr<const Timeline>>& lines, std::uint64_t fingerprint,
                  const std::string& folder);

// The names, the last used one first; none where there is no folder. kIo
Result<std::vector<std::string>> saved_lines(const std::string& folder);

}  // namespace lfm::engine
