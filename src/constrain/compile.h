// From what an application gives to a grammar.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "constrain/match/grammar.h"
#include "lfm/result.h"

namespace lfm::constrain {

inline constexpr std::size_t kMaxSchemaBytes = std::size_t{1} << 20;

// Errors' field is the JSON pointer to the keyword that is to blame, or "schema".
//   kArgument     no JSON, or no schema;   kUnsupported  a keyword that can't be held exactly
//   kLimit        too large, too deep, too many states, too much work: more steps than `effort`
Result<std::shared_ptr<Grammar>> compile_json_schema(std::string_view schema, bool formats_by_draft = false,
                                                     std::uint64_t effort = Effort::kMost);

// The texts that a pattern matches from end to end.
Result<std::shared_ptr<Grammar>> compile_regex(std::string_view pattern);

}  // namespace lfm::constrain
