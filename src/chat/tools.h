// Lists of tools, as the application gives them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::chat {

// The elements as read_objects() writes them. kArgument besides its errors, with the index: one without a name, or with
// the name of another.
Result<std::vector<std::string>> read_tools(std::string_view json);

}  // namespace lfm::chat
