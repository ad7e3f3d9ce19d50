#include "talk/json_text.h"

namespace lfm::cli {

Result<Json> parse_json(std::string_view text) {
  static constexpr int kDepth = 64;
  bool too_deep = false;
  const auto check = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepth;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, check);
    if (too_deep) return Error{ErrorCode::kFormat, "JSON nests deeper than " + std::to_string(kDepth)};
    return json;
  } catch (const Json::parse_error& error) {
    return Error{ErrorCode::kFormat, "isn't JSON", "", Error::kNone, error.byte};
  } catch (const Json::exception&) {
    return Error{ErrorCode::kFormat, "has a number that is too large"};
  }
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace lfm::cli
