#include "jinja/value.h"

#include <algorithm>

#include "jinja/function.h"

namespace lfm::jinja {

Value Value::undefined(const std::string* name) noexcept {
  Value out;
  out.name_ = name;
  return out;
}

Value Value::boolean(bool value, Origin origin) noexcept {
  Value out(Kind::kBoolean, origin);
  out.integer_ = value ? 1 : 0;
  return out;
}

Value Value::integer(std::int64_t value, Origin origin) noexcept {
  Value out(Kind::kInteger, origin);
  out.integer_ = value;
  return out;
}

Value Value::number(double value, Origin origin) noexcept {
  Value out(Kind::kFloat, origin);
  out.float_ = value;
  return out;
}

Value Value::big_integer(std::string digits, Origin origin) {
  Value out(Kind::kBigInteger, origin);
  out.object_ = std::make_shared<const String>(Text(std::move(digits), origin));
  return out;
}

Value Value::string(Text text) {
  return object(Kind::kString, std::make_shared<const String>(std::move(text)));
}

Value Value::list(std::vector<Value> items) {
  return object(Kind::kList, std::make_shared<const List>(std::move(items), List::Form::kList));
}

Value Value::dict(std::vector<std::pair<Value, Value>> members) {
  return object(Kind::kDict, std::make_shared<const Dict>(std::move(members)));
}

Value Value::object(Kind kind, std::shared_ptr<const Object> object) noexcept {
  Value out(kind, Origin::kTemplate);
  out.object_ = std::move(object);
  return out;
}

Value Value::of(Namespace* names) noexcept {
  Value out(Kind::kNamespace, Origin::kTemplate);
  out.names_ = names;
  return out;
}

const Loop& Value::loop() const noexcept {
  return static_cast<const Loop&>(*object_);
}

const Function& Value::function() const noexcept {
  return static_cast<const Function&>(*object_);
}

const Value* Dict::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : members) {
    if (name.is(Kind::kString) && name.bytes() == key) return &value;
  }
  return nullptr;
}

const Value* Dict::find(const Value& key) const noexcept {
  if (key.is(Kind::kString)) return find(key.bytes());
  for (const auto& [name, value] : members) {
    const bool same = key.is_number() && name.is_number() && !key.is(Kind::kBigInteger) && !name.is(Kind::kBigInteger)
                          ? key.number() == name.number()
                          : key.is(Kind::kNone) && name.is(Kind::kNone);
    if (same) return &value;
  }
  return nullptr;
}

void List::deepen() noexcept {
  for (const Value& item : items) depth = std::max(depth, item.depth());
  ++depth;
}

void Dict::deepen() noexcept {
  for (const auto& [name, value] : members) depth = std::max(depth, value.depth());
  ++depth;
}

const Value* Namespace::find(std::string_view name) const noexcept {
  for (const auto& [each, value] : members) {
    if (each == name) return &value;
  }
  return nullptr;
}

void Namespace::set(std::string_view name, Value value) {
  for (auto& [each, old] : members) {
    if (each == name) {
      old = std::move(value);
      return;
    }
  }
  members.emplace_back(name, std::move(value));
}

}  // namespace lfm::jinja
