#include "json/read.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lfm::json {
namespace {

class Parser : public nlohmann::json_sax<nlohmann::json> {
 public:
  Parser(const std::string& field, const Rules& rules, Events& events)
      : field_(field), rules_(rules), events_(events) {}

  Error error() && { return std::move(error_); }

  bool null() override {
    events_.null();
    return true;
  }
  bool boolean(bool value) override {
    events_.boolean(value);
    return true;
  }
  bool number_integer(number_integer_t value) override {
    events_.number(std::to_string(value), static_cast<double>(value));
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    events_.number(std::to_string(value), static_cast<double>(value));
    return true;
  }
  bool number_float(number_float_t value, const string_t& spelt) override {
    events_.number(spelt, value);
    return true;
  }
  bool string(string_t& value) override {
    events_.text(value);
    return true;
  }
  bool binary(binary_t&) override { return fail(rules_.malformed, "binary"); }  // which JSON doesn't have
  bool start_object(std::size_t) override { return begin(true); }
  bool start_array(std::size_t) override { return begin(false); }
  bool end_object() override { return end(true); }
  bool end_array() override { return end(false); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second)
      return fail(rules_.malformed, "the key '" + base::printable(name, 64) + "' is there twice");
    events_.key(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail(rules_.malformed, "this isn't JSON");
    error_.offset = position > 0 ? position - 1 : 0;  // it counts bytes read
    return false;
  }

 private:
  bool fail(ErrorCode code, std::string message) {
    error_ = {code, std::move(message), field_};
    return false;
  }

  bool begin(bool object) {
    if (keys_.size() == rules_.levels)
      return fail(rules_.too_deep, "nested deeper than " + std::to_string(rules_.levels));
    keys_.emplace_back();
    events_.begin(object);
    return true;
  }

  bool end(bool object) {
    keys_.pop_back();
    events_.end(object);
    return true;
  }

  const std::string& field_;
  const Rules& rules_;
  Events& events_;
  std::vector<std::unordered_set<std::string>> keys_;  // of each level
  Error error_;
};

}  // namespace

Status read(std::string_view text, const std::string& field, const Rules& rules, Events& events) {
  Parser parser(field, rules, events);
  if (nlohmann::json::sax_parse(text, &parser)) return {};
  return std::move(parser).error();
}

bool accept(std::string_view text) {
  return nlohmann::json::accept(text);
}

}  // namespace lfm::json
