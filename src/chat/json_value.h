// JSON that the application gives, as templates see it.
#pragma once

#include <string>
#include <string_view>

#include "jinja/value.h"
#include "lfm/result.h"

namespace lfm::chat {

// Keys stay in order; all text and numbers in it count as data. Errors as read_objects() (json.h), but for what the
// outermost value is.
Result<jinja::Value> read_json(std::string_view json, const std::string& field);

}  // namespace lfm::chat
