#include "chat/json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "jinja/spell.h"

namespace lfm::chat {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_hex(unsigned char byte, std::string& out) {
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

enum class Style : std::uint8_t { kJson, kPython };

// Rewrites a JSON text while nlohmann's parser reads it. The parser doesn't recurse, and neither does this.
class Rewriter {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  // A value within the outermost array or object.
  struct Child {
    std::string key;   // of an object
    std::string text;  // as written
    bool object = false;
  };

  // In Python's style, objects within the outermost are JSON nevertheless.
  Rewriter(Style style, bool outer_object) : style_(style), outer_object_(outer_object) {}

  const std::string& problem() const noexcept { return problem_; }
  std::uint64_t offset() const noexcept { return offset_; }
  std::vector<Child>& children() noexcept { return children_; }

  bool null() { return scalar(python() ? "None" : "null"); }
  bool boolean(bool value) {
    if (python()) return scalar(value ? "True" : "False");
    return scalar(value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) { return scalar(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) { return scalar(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& spelt) { return scalar(spelt); }
  bool binary(binary_t&) { return fail("binary"); }  // which JSON doesn't have

  bool string(string_t& value) {
    if (!begin_value()) return false;
    if (!python()) {
      append_json_string(value, text());
    } else if (levels_.size() == 1 && value.find_first_of("'\\") == string_t::npos) {
      text().append(1, '\'').append(value).append(1, '\'');
    } else {
      append_python_string(value, text());
    }
    return true;
  }

  bool start_object(std::size_t) { return start(true); }
  bool start_array(std::size_t) { return start(false); }
  bool end_object() { return end('}'); }
  bool end_array() { return end(']'); }

  bool key(string_t& name) {
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) return fail("a key is there twice");
    if (levels_.size() == 1) {
      key_ = name;
      return true;
    }
    if (level.values > 0) text() += ", ";
    python() ? append_python_string(name, text()) : append_json_string(name, text());
    text() += ": ";
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    offset_ = position > 0 ? position - 1 : 0;  // it counts bytes read
    return fail("this isn't JSON");
  }

 private:
  struct Level {
    bool object;
    std::size_t values = 0;
    std::set<std::string> keys = {};
  };

  bool python() const noexcept { return style_ == Style::kPython && !in_json_; }
  std::string& text() noexcept { return children_.back().text; }

  bool fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  bool scalar(std::string_view spelt) {
    if (!begin_value()) return false;
    text() += spelt;
    return true;
  }

  bool begin_value() {
    if (levels_.empty()) return fail(outer_object_ ? "expected an object" : "expected an array");
    Level& level = levels_.back();
    if (levels_.size() == 1) {
      children_.push_back({std::move(key_), {}});
    } else if (!level.object && level.values > 0) {
      text() += ", ";
    }
    ++level.values;
    return true;
  }

  bool start(bool object) {
    if (levels_.size() == kMaxDepth) return fail("nested too deeply");
    if (levels_.empty()) {
      if (object != outer_object_) return fail(outer_object_ ? "expected an object" : "expected an array");
    } else {
      if (!begin_value()) return false;
      if (levels_.size() == 1) children_.back().object = in_json_ = object;
      text() += object ? '{' : '[';
    }
    levels_.push_back({object});
    return true;
  }

  bool end(char bracket) {
    levels_.pop_back();
    if (!levels_.empty()) text() += bracket;
    if (levels_.size() == 1) in_json_ = false;
    return true;
  }

  Style style_;
  bool outer_object_;
  bool in_json_ = false;  // within an object among the children
  std::vector<Level> levels_;
  std::vector<Child> children_;
  std::string key_;
  std::string problem_;
  std::uint64_t offset_ = Error::kNone;
};

Result<std::vector<Rewriter::Child>> rewrite(std::string_view json, Style style, bool outer_object,
                                             const std::string& field) {
  Rewriter rewriter(style, outer_object);
  if (!nlohmann::json::sax_parse(json, &rewriter)) {
    return Error{ErrorCode::kArgument, rewriter.problem(), field, Error::kNone, rewriter.offset()};
  }
  return std::move(rewriter.children());
}

}  // namespace

bool is_in_range(std::string_view number) {
  return nlohmann::json::accept(number);
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (jinja::escape_shared(static_cast<unsigned char>(c), out)) continue;
    if (c == '"') {
      out += "\\\"";
    } else if (c == '\b' || c == '\f') {
      out += c == '\b' ? "\\b" : "\\f";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      append_hex(static_cast<unsigned char>(c), out);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_python_string(std::string_view text, std::string& out) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    if (jinja::escape_shared(static_cast<unsigned char>(c), out)) continue;
    if (c == quote) {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\x";
      append_hex(static_cast<unsigned char>(c), out);
    } else {
      out += c;
    }
  }
  out += quote;
}

Result<std::vector<std::string>> read_objects(std::string_view json, const std::string& field) {
  auto children = rewrite(json, Style::kJson, false, field);
  if (!children.ok()) return std::move(children).error();
  std::vector<std::string> objects;
  for (Rewriter::Child& child : *children) {
    if (!child.object) return Error{ErrorCode::kArgument, "expected an object", field, objects.size()};
    objects.push_back(std::move(child.text));
  }
  return objects;
}

Result<std::vector<Argument>> read_arguments(std::string_view json, const std::string& field) {
  auto children = rewrite(json, Style::kPython, true, field);
  if (!children.ok()) return std::move(children).error();
  std::vector<Argument> arguments;
  for (Rewriter::Child& child : *children) arguments.push_back({std::move(child.key), std::move(child.text)});
  return arguments;
}

}  // namespace lfm::chat
