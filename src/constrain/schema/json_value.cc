#include "constrain/schema/json_value.h"

#include <algorithm>

#include "constrain/schema/decimal.h"

namespace lfm::constrain {
namespace {

bool find_pointer(const Json& at, const Json& value, std::string& pointer) {
  if (&at == &value) return true;
  const std::size_t length = pointer.size();
  for (std::size_t i = 0; i < at.items.size(); ++i) {
    pointer += "/" + std::to_string(i);
    if (find_pointer(at.items[i], value, pointer)) return true;
    pointer.resize(length);
  }
  for (const auto& [name, member] : at.members) {
    pointer += '/';
    for (const char c : name) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    if (find_pointer(member, value, pointer)) return true;
    pointer.resize(length);
  }
  return false;
}

const Json* step(const Json& at, const std::string& name) {
  if (at.is_object()) return at.find(name);
  if (!at.is(Json::Type::kArray) || name.empty() || name.size() > 7) return nullptr;
  if (name.find_first_not_of("0123456789") != std::string::npos) return nullptr;
  const auto index = static_cast<std::size_t>(std::stoul(name));
  return index < at.items.size() ? &at.items[index] : nullptr;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& field) {
  return json::parse(text, field, {.levels = kMaxSchemaDepth, .too_deep = ErrorCode::kLimit});
}

bool equal(const Json& a, const Json& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case Json::Type::kNull:
      return true;
    case Json::Type::kBoolean:
      return a.boolean == b.boolean;
    case Json::Type::kString:
      return a.text == b.text;
    case Json::Type::kNumber: {
      const auto x = Decimal::parse(a.text);
      const auto y = Decimal::parse(b.text);
      return x && y ? compare(*x, *y) == 0 : a.text == b.text;
    }
    case Json::Type::kArray:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
    case Json::Type::kObject:
      return a.members.size() == b.members.size() &&
             std::all_of(a.members.begin(), a.members.end(), [&b](const Json::Member& member) {
               const Json* other = b.find(member.first);
               return other != nullptr && equal(member.second, *other);
             });
  }
  return false;
}

std::string pointer_to(const Json& root, const Json& value) {
  std::string pointer;
  find_pointer(root, value, pointer);
  return pointer;
}

const Json* at_pointer(const Json& root, std::string_view pointer) {
  const Json* at = &root;
  while (!pointer.empty() && at != nullptr) {
    if (pointer[0] != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::string_view part = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(part.size());
    std::string name;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
      name += escape ? (part[++i] == '0' ? '~' : '/') : part[i];
    }
    at = step(*at, name);
  }
  return at;
}

}  // namespace lfm::constrain
