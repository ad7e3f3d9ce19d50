// JSON files as trees. The only place in this folder that knows the parser.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::format {

using Json = nlohmann::ordered_json;

//   kFormat  not JSON, nested deeper than 64, or a name that is there twice in an object; with the byte, where known
Result<Json> parse_json(std::string_view text, std::string_view what);

// A member of an object; null where it is missing or null.
const Json* find(const Json& object, const char* name) noexcept;

// kFormat where a member that is there is of another type or out of range.
Result<std::optional<std::uint64_t>> find_unsigned(const Json& object, const char* name);
Result<std::optional<double>> find_number(const Json& object, const char* name);
Result<std::optional<bool>> find_bool(const Json& object, const char* name);
Result<std::optional<std::string>> find_string(const Json& object, const char* name);
Result<std::uint64_t> require_unsigned(const Json& object, const char* name);

}  // namespace lfm::format
