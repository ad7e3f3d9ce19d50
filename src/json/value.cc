#include "json/value.h"

#include <charconv>

#include "base/try.h"

namespace lfm::json {
namespace {

class Builder final : public Events {
 public:
  Value take() { return std::move(root_); }

  void null() override { put({}); }
  void boolean(bool value) override { put({.type = Value::Type::kBoolean, .boolean = value}); }
  void number(std::string_view spelt, double value) override {
    put({.type = Value::Type::kNumber, .number = value, .text = std::string(spelt)});
  }
  void text(std::string& value) override { put({.type = Value::Type::kString, .text = std::move(value)}); }
  void begin(bool object) override {
    open_.push_back(&put({.type = object ? Value::Type::kObject : Value::Type::kArray}));
  }
  void key(std::string& name) override { key_ = std::move(name); }
  void end(bool) override { open_.pop_back(); }

 private:
  // What is open stays where it is: only the innermost grows.
  Value& put(Value value) {
    if (open_.empty()) return root_ = std::move(value);
    Value& parent = *open_.back();
    if (parent.is_object()) return parent.members.emplace_back(std::move(key_), std::move(value)).second;
    return parent.items.emplace_back(std::move(value));
  }

  Value root_;
  std::vector<Value*> open_;
  std::string key_;
};

Error wrong(const char* name, const char* expected) {
  return Error{ErrorCode::kFormat, std::string("expected ") + expected, name};
}

}  // namespace

const Value* Value::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::optional<std::uint64_t> Value::whole() const noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (type != Type::kNumber || code != std::errc() || stop != end) return {};
  return value;
}

Result<Value> parse(std::string_view text, const std::string& field, const Rules& rules) {
  Builder builder;
  LFM_TRY(read(text, field, rules, builder));
  return builder.take();
}

const Value* given(const Value& object, std::string_view name) noexcept {
  const Value* const value = object.find(name);
  return value == nullptr || value->is(Value::Type::kNull) ? nullptr : value;
}

Result<std::optional<std::uint64_t>> find_unsigned(const Value& object, const char* name) {
  const Value* const value = given(object, name);
  if (value == nullptr) return std::optional<std::uint64_t>();
  const std::optional<std::uint64_t> whole = value->whole();
  if (!whole) return wrong(name, "a whole number");
  return whole;
}

Result<std::optional<double>> find_number(const Value& object, const char* name) {
  const Value* const value = given(object, name);
  if (value == nullptr) return std::optional<double>();
  if (!value->is(Value::Type::kNumber)) return wrong(name, "a number");
  return std::optional(value->number);
}

Result<std::optional<bool>> find_bool(const Value& object, const char* name) {
  const Value* const value = given(object, name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is(Value::Type::kBoolean)) return wrong(name, "true or false");
  return std::optional(value->boolean);
}

Result<std::optional<std::string>> find_text(const Value& object, const char* name) {
  const Value* const value = given(object, name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_text()) return wrong(name, "a text");
  return std::optional(value->text);
}

Result<std::uint64_t> require_unsigned(const Value& object, const char* name) {
  LFM_ASSIGN(const std::optional<std::uint64_t> value, find_unsigned(object, name));
  if (!value) return Error{ErrorCode::kFormat, "is missing", name};
  return *value;
}

}  // namespace lfm::json
