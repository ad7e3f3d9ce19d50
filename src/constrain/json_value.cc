#include "constrain/json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "constrain/decimal.h"

namespace lfm::constrain {
namespace {

// Builds the tree while nlohmann's parser reads; neither recurses.
class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit Builder(Json& root) : root_(root) {}

  bool null() { return add({}) != nullptr; }
  bool boolean(bool value) { return add({.type = Json::Type::kBoolean, .boolean = value}) != nullptr; }
  bool number_integer(number_integer_t value) { return number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) { return number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& spelt) { return number(spelt); }
  bool binary(binary_t&) { return false; }
  bool string(string_t& value) {
    return add({.type = Json::Type::kString, .text = std::move(value)}) != nullptr;
  }

  bool start_object(std::size_t) { return start(Json::Type::kObject); }
  bool start_array(std::size_t) { return start(Json::Type::kArray); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool key(string_t& name) {
    if (!levels_.back().keys.insert(name).second) {
      error_ = {ErrorCode::kArgument, "the key \"" + name + "\" is there twice"};
      return false;
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    error_ = {ErrorCode::kArgument, "this isn't JSON", {}, Error::kNone, position > 0 ? position - 1 : 0};
    return false;
  }

  Error error() const { return error_; }

 private:
  struct Level {
    Json* value;
    std::unordered_set<std::string> keys = {};
  };

  bool number(std::string spelt) { return add({.type = Json::Type::kNumber, .text = std::move(spelt)}) != nullptr; }

  Json* add(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *levels_.back().value;
    if (parent.is_object()) return &parent.members.emplace_back(std::move(key_), std::move(value)).second;
    return &parent.items.emplace_back(std::move(value));
  }

  bool start(Json::Type type) {
    if (levels_.size() == kMaxSchemaDepth) {
      error_ = {ErrorCode::kLimit, "more than " + std::to_string(kMaxSchemaDepth) + " levels"};
      return false;
    }
    levels_.push_back({add({.type = type})});
    return true;
  }

  bool end() {
    levels_.pop_back();
    return true;
  }

  Json& root_;
  std::vector<Level> levels_;
  std::string key_;
  Error error_ = {ErrorCode::kArgument, "this isn't JSON"};
};

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

const Json* Json::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

Result<Json> parse_json(std::string_view text, const std::string& field) {
  Json root;
  Builder builder(root);
  if (!nlohmann::json::sax_parse(text, &builder)) {
    Error error = builder.error();
    error.field = field;
    return error;
  }
  return root;
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
