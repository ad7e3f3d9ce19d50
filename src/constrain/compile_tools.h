// Calls of tools as grammars.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "constrain/match/grammar.h"
#include "lfm/result.h"

namespace lfm::constrain {

enum class CallForm : std::uint8_t {
  kPython,  // [f(a='x', b=[1, None]), g()]
  kJson,    // [{"name": "f", "arguments": {"a": "x"}}]
};

struct CallRules {
  CallForm form = CallForm::kPython;
  std::string only = {};  // a tool's name; empty: any of them
  bool single = false;    // one call and no more
};

// `tools` as ChatOptions::tools. What comes between the tokens that begin and end calls: a list of one call or more,
// each of a tool that there is, with arguments that its parameters' schema allows, in their order; in Python's form all
// of them named by the schema. Errors as of compile_json_schema(), their field with the tool's place in front, or
// "tools", "tool_choice".
Result<std::shared_ptr<Grammar>> compile_tools(std::string_view tools, const CallRules& rules);

}  // namespace lfm::constrain
