#include "chat/json.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "base/try.h"
#include "json/read.h"
#include "json/write.h"

namespace lfm::chat {
namespace {

enum class Style : std::uint8_t { kJson, kPython };

// Rewrites a JSON text while it is read.
class Rewriter final : public json::Events {
 public:
  // A value within the outermost array or object.
  struct Child {
    std::string key;   // of an object
    std::string text;  // as written
    bool object = false;
  };

  // In Python's style, objects within the outermost are JSON nevertheless.
  explicit Rewriter(Style style) : style_(style) {}

  std::optional<bool> outermost() const noexcept { return outermost_; }  // an object, an array, or neither
  std::vector<Child>& children() noexcept { return children_; }

  void null() override { scalar(python() ? "None" : "null"); }
  void boolean(bool value) override {
    if (python()) return scalar(value ? "True" : "False");
    scalar(value ? "true" : "false");
  }
  void number(std::string_view spelt, double) override { scalar(spelt); }

  void text(std::string& value) override {
    if (!begin_value()) return;
    if (!python()) {
      json::append_text(value, written());
    } else if (levels_.size() == 1 && value.find_first_of("'\\") == std::string::npos) {
      written().append(1, '\'').append(value).append(1, '\'');
    } else {
      append_python_string(value, written());
    }
  }

  void begin(bool object) override {
    if (levels_.empty()) {
      outermost_ = object;
    } else {
      begin_value();
      if (levels_.size() == 1) children_.back().object = in_json_ = object;
      written() += object ? '{' : '[';
    }
    levels_.push_back({object});
  }

  void key(std::string& name) override {
    if (levels_.size() == 1) {
      key_ = name;
      return;
    }
    if (levels_.back().values > 0) written() += ", ";
    python() ? append_python_string(name, written()) : json::append_text(name, written());
    written() += ": ";
  }

  void end(bool object) override {
    levels_.pop_back();
    if (!levels_.empty()) written() += object ? '}' : ']';
    if (levels_.size() == 1) in_json_ = false;
  }

 private:
  struct Level {
    bool object;
    std::size_t values = 0;
  };

  bool python() const noexcept { return style_ == Style::kPython && !in_json_; }
  std::string& written() noexcept { return children_.back().text; }

  void scalar(std::string_view spelt) {
    if (begin_value()) written() += spelt;
  }

  // False where there is nothing around it.
  bool begin_value() {
    if (levels_.empty()) return false;
    Level& level = levels_.back();
    if (levels_.size() == 1) {
      children_.push_back({std::move(key_), {}});
    } else if (!level.object && level.values > 0) {
      written() += ", ";
    }
    ++level.values;
    return true;
  }

  Style style_;
  std::optional<bool> outermost_;
  bool in_json_ = false;  // within an object among the children
  std::vector<Level> levels_;
  std::vector<Child> children_;
  std::string key_;
};

Result<std::vector<Rewriter::Child>> rewrite(std::string_view json, Style style, bool outer_object,
                                             const std::string& field) {
  Rewriter rewriter(style);
  LFM_TRY(json::read(json, field, {.levels = kMaxDepth}, rewriter));
  if (rewriter.outermost() != outer_object)
    return Error{ErrorCode::kArgument, outer_object ? "expected an object" : "expected an array", field};
  return std::move(rewriter.children());
}

}  // namespace

void append_python_string(std::string_view text, std::string& out) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    if (json::escape_shared(static_cast<unsigned char>(c), out)) continue;
    if (c == quote) {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\x";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
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
