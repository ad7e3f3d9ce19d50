#include "serve/fields.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/try.h"

namespace lfm::serve {
namespace {

std::string kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      return json_text(value);
  }
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  return text;
}

}  // namespace

Error wrong(std::string field, std::string sentence) {
  return Error{ErrorCode::kArgument, std::move(sentence), std::move(field)};
}

const Json* Fields::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<bool>> Fields::flag(const char* name) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_boolean()) return wrong(this->name(name), "expected true or false, not " + kind_of(*value));
  return std::optional<bool>(value->get<bool>());
}

Result<std::optional<double>> Fields::number(const char* name, double least, double most) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::optional<double>();
  const double number = value->is_number() ? value->get<double>() : NAN;
  if (!(number >= least && number <= most)) {
    return wrong(this->name(name), "expected a number from " + number_text(least) + " to " + number_text(most) +
                                       ", not " + kind_of(*value));
  }
  return std::optional<double>(number);
}

Result<std::optional<std::int64_t>> Fields::whole(const char* name, std::int64_t least, std::int64_t most) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  constexpr double kExact = 9007199254740992;  // some clients write 10.0
  bool fits = value->is_number_integer();
  std::int64_t number = 0;
  if (value->is_number_unsigned()) {
    fits = value->get<std::uint64_t>() <= INT64_MAX;
    number = fits ? value->get<std::int64_t>() : 0;
  } else if (fits) {
    number = value->get<std::int64_t>();
  } else if (value->is_number_float()) {
    const double real = value->get<double>();
    fits = std::abs(real) <= kExact && real == std::floor(real);
    if (fits) number = static_cast<std::int64_t>(real);
  }
  if (!fits || number < least || number > most) {
    return wrong(this->name(name), "expected a whole number from " + std::to_string(least) + " to " +
                                       std::to_string(most) + ", not " + kind_of(*value));
  }
  return std::optional<std::int64_t>(number);
}

Result<std::optional<std::string>> Fields::text(const char* name) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(this->name(name), "expected a text, not " + kind_of(*value));
  return std::optional<std::string>(value->get<std::string>());
}

Result<const Json*> Fields::object(const char* name) const {
  const Json* const value = find(name);
  if (value != nullptr && !value->is_object())
    return wrong(this->name(name), "expected an object, not " + kind_of(*value));
  return value;
}

Result<const Json*> Fields::list(const char* name, std::size_t most) const {
  const Json* const value = find(name);
  if (value == nullptr) return value;
  if (!value->is_array()) return wrong(this->name(name), "expected a list, not " + kind_of(*value));
  if (value->size() > most) {
    return wrong(this->name(name),
                 "has " + std::to_string(value->size()) + " elements; the most are " + std::to_string(most));
  }
  return value;
}

Result<std::vector<std::string>> Fields::texts(const char* name, std::size_t most, std::size_t most_bytes) const {
  std::vector<std::string> out;
  const Json* value = find(name);
  if (value == nullptr) return out;
  if (value->is_string()) {
    out.push_back(value->get<std::string>());
  } else {
    LFM_ASSIGN(value, list(name, most));
    for (const Json& element : *value) {
      if (!element.is_string()) return wrong(this->name(name), "expected texts, not " + kind_of(element));
      out.push_back(element.get<std::string>());
    }
  }
  for (const std::string& one : out) {
    if (one.size() > most_bytes)
      return wrong(this->name(name), "has a text of more than " + std::to_string(most_bytes) + " bytes");
  }
  return out;
}

Result<Json> read_body(std::string_view body, const cli::JsonLimits& limits) {
  auto json = cli::parse_json(body, limits);
  if (!json.ok()) {
    json.error().field = "body";
  } else if (!json->is_object()) {
    return Error{ErrorCode::kFormat, "is no JSON object", "body"};
  }
  return json;
}

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

double decimal(float value) {
  char text[64];
  const auto written = std::to_chars(text, text + sizeof text, value);
  double out = value;
  std::from_chars(text, written.ptr, out);
  return out;
}

}  // namespace lfm::serve
