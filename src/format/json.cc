#include "format/json.h"

#include <set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/try.h"

namespace lfm::format {
namespace {

constexpr std::size_t kDeepest = 64;

// Builds the tree while the parser reads, which doesn't recurse, and neither does this.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }
  const std::string& problem() const noexcept { return problem_; }
  std::uint64_t offset() const noexcept { return offset_; }

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override { return put(value) != nullptr; }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      problem_ = "the name '" + base::printable(name, 64) + "' is there twice";
      return false;
    }
    name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    problem_ = "not JSON";
    offset_ = position;
    return false;
  }

 private:
  Json* put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // Names differ, so that none has to be looked for.
    auto& members = parent.get_ref<Json::object_t&>();
    members.Container::emplace_back(std::move(name_), std::move(value));
    return &members.Container::back().second;
  }
  bool open(Json value) {
    if (open_.size() == kDeepest) {
      problem_ = "nested deeper than " + std::to_string(kDeepest);
      return false;
    }
    open_.push_back(put(std::move(value)));
    names_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::vector<std::set<std::string>> names_;
  std::string name_;
  std::string problem_;
  std::uint64_t offset_ = Error::kNone;
};

Error wrong(const char* name, const char* expected) {
  return Error{ErrorCode::kFormat, std::string("expected ") + expected, name};
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder))
    return Error{ErrorCode::kFormat, builder.problem(), std::string(what), Error::kNone, builder.offset()};
  return builder.take();
}

const Json* find(const Json& object, const char* name) noexcept {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(name);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

Result<std::optional<std::uint64_t>> find_unsigned(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::optional<std::uint64_t>();
  if (!value->is_number_unsigned()) return wrong(name, "a whole number");
  return std::optional(value->get<std::uint64_t>());
}

Result<std::optional<double>> find_number(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::optional<double>();
  if (!value->is_number()) return wrong(name, "a number");
  return std::optional(value->get<double>());
}

Result<std::optional<bool>> find_bool(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_boolean()) return wrong(name, "true or false");
  return std::optional(value->get<bool>());
}

Result<std::optional<std::string>> find_string(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(name, "a text");
  return std::optional(value->get<std::string>());
}

Result<std::uint64_t> require_unsigned(const Json& object, const char* name) {
  LFM_ASSIGN(const std::optional<std::uint64_t> value, find_unsigned(object, name));
  if (!value) return Error{ErrorCode::kFormat, "is missing", name};
  return *value;
}

}  // namespace lfm::format
