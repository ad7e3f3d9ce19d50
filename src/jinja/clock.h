// The date that templates are told, and how they want it written.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::jinja {

struct Clock {
  std::tm time = {};
};

// strftime() in English whatever the locale. kUnsupported: a directive that isn't known.
Result<std::string> format_time(const Clock& clock, std::string_view format);

}  // namespace lfm::jinja
