#include "chat/tools.h"

#include <algorithm>
#include <set>

#include "base/try.h"
#include "chat/json.h"

namespace lfm::chat {
namespace {

// A member's value, as read_arguments() writes it; empty where it is missing.
std::string member(const std::vector<Argument>& object, std::string_view name) {
  const auto found = std::find_if(object.begin(), object.end(), [&](const Argument& a) { return a.name == name; });
  return found != object.end() ? found->value : std::string();
}

}  // namespace

Result<std::vector<std::string>> read_tools(std::string_view json) {
  LFM_ASSIGN(std::vector<std::string> tools, read_objects(json, "tools"));
  std::set<std::string> names;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    LFM_ASSIGN(std::vector<Argument> tool, read_arguments(tools[i], "tools"));
    if (const std::string function = member(tool, "function"); function.starts_with('{')) {
      LFM_ASSIGN(tool, read_arguments(function, "tools"));
    }
    const std::string name = member(tool, "name");  // in quotes, where it is a text
    if (name.size() < 3 || (name[0] != '\'' && name[0] != '"')) {
      return Error{ErrorCode::kArgument, "a tool without a name", "tools", i};
    }
    if (!names.insert(name).second) return Error{ErrorCode::kArgument, "two tools of one name", "tools", i};
  }
  return tools;
}

}  // namespace lfm::chat
