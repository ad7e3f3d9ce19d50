#include "chat/tools.h"

#include <set>

#include "base/try.h"
#include "chat/json.h"
#include "format/json.h"

namespace lfm::chat {

Result<std::vector<std::string>> read_tools(std::string_view json) {
  LFM_ASSIGN(std::vector<std::string> tools, read_objects(json, "tools"));
  std::set<std::string> names;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    LFM_ASSIGN(const format::Json tool, format::parse_json(tools[i], "tools"));
    const format::Json* function = format::find(tool, "function");
    const format::Json* name = format::find(function != nullptr ? *function : tool, "name");
    if (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty()) {
      return Error{ErrorCode::kArgument, "a tool without a name", "tools", i};
    }
    if (!names.insert(name->get<std::string>()).second) {
      return Error{ErrorCode::kArgument, "two tools of one name", "tools", i};
    }
  }
  return tools;
}

}  // namespace lfm::chat
