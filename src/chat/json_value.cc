#include "chat/json_value.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.h"
#include "chat/json.h"
#include "json/read.h"

namespace lfm::chat {
namespace {

using jinja::Origin;
using jinja::Value;

class ValueReader final : public json::Events {
 public:
  Value take() { return std::move(whole_); }

  void null() override { put(Value::none()); }
  void boolean(bool value) override { put(Value::boolean(value, Origin::kData)); }

  // Whole numbers that nothing else holds come as such too.
  void number(std::string_view spelt, double value) override {
    if (spelt.find_first_of(".eE") != std::string_view::npos) return put(Value::number(value, Origin::kData));
    std::int64_t integer = 0;
    const auto [stop, code] = std::from_chars(spelt.data(), spelt.data() + spelt.size(), integer);
    put(code == std::errc() ? Value::integer(integer, Origin::kData)
                            : Value::big_integer(std::string(spelt), Origin::kData));
  }
  void text(std::string& value) override { put(Value::string(std::move(value), Origin::kData)); }

  void begin(bool) override { levels_.emplace_back(); }
  void key(std::string& name) override { levels_.back().key = std::move(name); }
  void end(bool object) override {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    put(object ? Value::dict(std::move(level.members)) : Value::list(std::move(level.items)));
  }

 private:
  struct Level {
    std::optional<std::string> key = {};  // of the member to come, in an object
    std::vector<Value> items = {};
    std::vector<std::pair<Value, Value>> members = {};
  };

  void put(Value value) {
    if (levels_.empty()) {
      whole_ = std::move(value);
    } else if (Level& level = levels_.back(); level.key) {
      level.members.emplace_back(Value::string(*std::exchange(level.key, {}), Origin::kData), std::move(value));
    } else {
      level.items.push_back(std::move(value));
    }
  }

  std::vector<Level> levels_;
  Value whole_;
};

}  // namespace

Result<Value> read_json(std::string_view json, const std::string& field) {
  ValueReader reader;
  LFM_TRY(json::read(json, field, {.levels = kMaxDepth}, reader));
  return reader.take();
}

}  // namespace lfm::chat
