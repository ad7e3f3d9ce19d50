// Options that say what an answer has to be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lfm/constraint.h"
#include "options.h"

namespace lfm::cli {

// Spelt as llama.cpp does.
struct ConstraintFlags {
  std::string schema;  // JSON, or a file with it
  std::string schema_file;
  std::optional<std::string> regex;
  std::string choice;  // of tools: auto, none, required or a name
  std::string tools;   // FILE

  // `tools_help`: of --tools. What is left out where an answer has to be something: an option of the command, or null.
  void add_to(Command& command, const char* tools_help, const Option* excluded = nullptr);

  // What was asked for of calls; none: they aren't held to anything.
  std::optional<ToolConstraint> tool_choice() const;

  // What was asked for, if anything, with tools as JSON. Errors say whose fault it is: an option, or a file.
  Result<std::optional<Constraint>> constraint(const std::string& tool_list) const;
};

}  // namespace lfm::cli
