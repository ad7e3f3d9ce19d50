// JSON as a tree, which keeps the order of members and how numbers are spelt, and frees itself without asking for
// memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/read.h"
#include "lfm/result.h"

namespace lfm::json {

struct Value {
  enum class Type : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Value>;

  Type type = Type::kNull;
  bool boolean = false;
  double number = 0;
  std::string text = {};  // of a string; of a number its spelling
  std::vector<Value> items = {};
  std::vector<Member> members = {};

  bool is(Type t) const noexcept { return type == t; }
  bool is_text() const noexcept { return type == Type::kString; }
  bool is_array() const noexcept { return type == Type::kArray; }
  bool is_object() const noexcept { return type == Type::kObject; }
  bool is_true() const noexcept { return type == Type::kBoolean && boolean; }
  bool is_false() const noexcept { return type == Type::kBoolean && !boolean; }

  const Value* find(std::string_view name) const noexcept;  // a member's value, or null
  std::optional<std::uint64_t> whole() const noexcept;      // a number from 0 on that is spelt as a whole one
};

// Errors as read().
Result<Value> parse(std::string_view text, const std::string& field, const Rules& rules);

// A member of an object that is there and isn't null.
const Value* given(const Value& object, std::string_view name) noexcept;

// kFormat where a member that is given is of another type, or out of range.
Result<std::optional<std::uint64_t>> find_unsigned(const Value& object, const char* name);
Result<std::optional<double>> find_number(const Value& object, const char* name);
Result<std::optional<bool>> find_bool(const Value& object, const char* name);
Result<std::optional<std::string>> find_text(const Value& object, const char* name);
Result<std::uint64_t> require_unsigned(const Value& object, const char* name);

}  // namespace lfm::json
