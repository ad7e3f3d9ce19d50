#include "talk/json_text.h"

#include <set>
#include <vector>

#include "talk/json_strings.h"

namespace lfm::cli {

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  using Event = Json::parse_event_t;
  std::string problem;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Event event, Json& value) {
    if (depth > limits.depth) problem = "nests deeper than " + std::to_string(limits.depth);
    if (!problem.empty()) return false;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      problem = "has a key twice in one object";
    if (event == Event::key && keys.back().size() > limits.members)
      problem = "has an object of more than " + std::to_string(limits.members) + " members";
    return problem.empty();
  };
  try {
    Json json = Json::parse(text, check);
    if (!problem.empty()) return Error{ErrorCode::kFormat, "JSON " + problem};
    return json;
  } catch (const Json::parse_error& error) {
    if (!problem.empty()) return Error{ErrorCode::kFormat, "JSON " + problem};
    return Error{ErrorCode::kFormat, "isn't JSON", "", Error::kNone, error.byte};
  } catch (const Json::exception&) {
    return Error{ErrorCode::kFormat, "has a number that is too large"};
  }
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string json_string(std::string_view text) {
  return json_line(text);
}

std::optional<std::string> read_json_string(std::string_view json) {
  const auto text = parse_json(json);
  if (!text.ok() || !text->is_string()) return std::nullopt;
  return text->get<std::string>();
}

}  // namespace lfm::cli
