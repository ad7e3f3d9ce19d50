// Fields of a request's JSON, each read as what it has to be. Errors are kArgument with the field's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "talk/json_text.h"

namespace lfm::serve {

using cli::Json;

// Of one object. Fields that are missing or null are nothing; those that nobody asks for don't matter.
class Fields {
 public:
  // `place`: how the object's fields are told: "stream_options." in front of their names.
  explicit Fields(const Json& object, std::string place = {}) : object_(object), place_(std::move(place)) {}

  const Json* find(const char* name) const;  // null where it is missing or null
  std::string name(std::string_view field) const { return place_ + std::string(field); }

  Result<std::optional<bool>> flag(const char* name) const;
  Result<std::optional<double>> number(const char* name, double least, double most) const;
  Result<std::optional<std::int64_t>> whole(const char* name, std::int64_t least, std::int64_t most) const;
  Result<std::optional<std::string>> text(const char* name) const;
  Result<const Json*> object(const char* name) const;  // null where it is missing
  Result<const Json*> list(const char* name, std::size_t most) const;

  // A text, or a list of texts.
  Result<std::vector<std::string>> texts(const char* name, std::size_t most, std::size_t most_bytes) const;

 private:
  const Json& object_;
  std::string place_;
};

Error wrong(std::string field, std::string sentence);

// A request's body: one object. kFormat
Result<Json> read_body(std::string_view body, const cli::JsonLimits& limits);

// In one line, as bytes of UTF-8; what isn't becomes U+FFFD.
std::string json_text(const Json& json);

// The shortest decimal number that a float is: 0.3, and not 0.30000001192092896.
double decimal(float value);

}  // namespace lfm::serve
