#include "chat/json_value.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "chat/json.h"

namespace lfm::chat {
namespace {

using jinja::Origin;
using jinja::Value;

// Makes values while nlohmann's parser reads; neither recurses.
class ValueReader {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  const std::string& problem() const noexcept { return problem_; }
  std::uint64_t offset() const noexcept { return offset_; }
  Value take() { return std::move(whole_); }

  bool null() { return put(Value::none()); }
  bool boolean(bool value) { return put(Value::boolean(value, Origin::kData)); }
  bool number_integer(number_integer_t value) { return put(Value::integer(value, Origin::kData)); }
  bool number_unsigned(number_unsigned_t value) {
    if (value <= INT64_MAX) return put(Value::integer(static_cast<std::int64_t>(value), Origin::kData));
    return put(Value::big_integer(std::to_string(value), Origin::kData));
  }
  // Whole numbers that nothing else holds come as such too.
  bool number_float(number_float_t value, const string_t& spelt) {
    if (spelt.find_first_of(".eE") == string_t::npos) return put(Value::big_integer(spelt, Origin::kData));
    return put(Value::number(value, Origin::kData));
  }
  bool binary(binary_t&) { return fail("binary"); }  // which JSON doesn't have
  bool string(string_t& value) { return put(Value::string(std::move(value), Origin::kData)); }

  bool start_object(std::size_t) { return start(true); }
  bool start_array(std::size_t) { return start(false); }

  bool key(string_t& name) {
    if (!levels_.back().keys.insert(name).second) return fail("a key is there twice");
    levels_.back().key = std::move(name);
    return true;
  }

  bool end_object() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return put(Value::dict(std::move(level.members)));
  }

  bool end_array() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return put(Value::list(std::move(level.items)));
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    offset_ = position > 0 ? position - 1 : 0;  // it counts bytes read
    return fail("this isn't JSON");
  }

 private:
  struct Level {
    bool object;
    std::string key = {};
    std::set<std::string> keys = {};
    std::vector<Value> items = {};
    std::vector<std::pair<Value, Value>> members = {};
  };

  bool fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  bool start(bool object) {
    if (levels_.size() == kMaxDepth) return fail("nested too deeply");
    levels_.push_back({object});
    return true;
  }

  bool put(Value value) {
    if (levels_.empty()) {
      whole_ = std::move(value);
    } else if (levels_.back().object) {
      Level& level = levels_.back();
      level.members.emplace_back(Value::string(std::move(level.key), Origin::kData), std::move(value));
    } else {
      levels_.back().items.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Level> levels_;
  Value whole_;
  std::string problem_;
  std::uint64_t offset_ = Error::kNone;
};

}  // namespace

Result<Value> read_json(std::string_view json, const std::string& field) {
  ValueReader reader;
  if (!nlohmann::json::sax_parse(json, &reader)) {
    return Error{ErrorCode::kArgument, reader.problem(), field, Error::kNone, reader.offset()};
  }
  return reader.take();
}

}  // namespace lfm::chat
