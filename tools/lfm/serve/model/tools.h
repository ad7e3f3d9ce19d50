// Tools as requests list them, and what calls of them are held to.
#pragma once

#include <functional>

#include "serve/fields.h"
#include "serve/model/request.h"

namespace lfm::serve {

// Of a list such as [{"type": "function", "function": {"name", "parameters", "strict"}}]. kArgument with the field
Result<ToolUse> tool_use(const Json& tools);

// "none", "auto", "required", or an object that names a function, or several ("allowed_tools"). kArgument,
// "tool_choice"
Status read_tool_choice(const Json& choice, ToolUse& use);

// The schema with nothing allowed but what it names: what "strict" asks for.
Json closed(const Json& schema);

// A JSON pointer into ToolUse::strict as one into the list that the request brought.
std::string place_in_list(const ToolUse& use, const std::string& place);

// The list of ToolUse::strict, in which those tools that don't ask for strictness and whose schemas can't be held
// exactly may have any arguments. `holds`: whether a schema can be.
Result<std::string> relaxed(const std::string& tools, const std::function<bool(const std::string& schema)>& holds);

}  // namespace lfm::serve
