#include "chat/call.h"

#include <set>

#include "chat/json.h"
#include "chat/value.h"

namespace lfm::chat {
namespace {

bool is_name_byte(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_function_byte(char c) noexcept {
  return is_name_byte(c) || c == '.' || c == '-' || c == '/' || c == ':';
}

// Bytes at the beginning of `text` that are a name.
template <typename Is>
std::size_t name_length(std::string_view text, Is is_byte) noexcept {
  if (text.empty() || !is_name_byte(text[0]) || (text[0] >= '0' && text[0] <= '9')) return 0;
  std::size_t length = 1;
  while (length < text.size() && is_byte(text[length])) ++length;
  return length;
}

template <typename Is>
std::string_view take_name(Reader& in, Is is_byte) {
  const std::string_view rest = in.rest();
  const std::size_t length = name_length(rest, is_byte);
  in.skip(length);
  return rest.substr(0, length);
}

bool read_argument(Reader& in, std::set<std::string_view>& names, std::string& out) {
  const std::size_t before = in.rest().size();
  const std::string_view name = take_name(in, is_name_byte);
  in.skip_space();
  if (name.empty() || !in.take('=')) {
    return in.fail(before == in.rest().size() ? "an argument without a name"
                                              : "expected '=' behind an argument's name");
  }
  if (!names.insert(name).second) return in.fail("an argument is there twice");
  append_json_string(name, out);
  out += ": ";
  return read_value(in, Escapes::kPython, out);
}

bool read_python_call(Reader& in, CallText& call) {
  call.name = take_name(in, is_function_byte);
  if (call.name.empty()) return in.expected("a function's name");
  in.skip_space();
  if (!in.take('(')) return in.expected("'('");
  std::set<std::string_view> names;
  call.arguments = "{";
  for (bool first = true;; first = false) {
    in.skip_space();
    if (in.take(')')) break;
    if (!first) call.arguments += ", ";
    if (!read_argument(in, names, call.arguments)) return false;
    in.skip_space();
    if (!in.take(',') && in.peek() != ')') return in.expected("',' or ')'");
  }
  call.arguments += '}';
  return true;
}

class JsonCall {
 public:
  JsonCall(Reader& in, CallText& call) : in_(in), call_(call) {}

  bool read() {
    if (!members(0)) return false;
    if (!named_) return in_.fail("a call without a name");
    if (call_.arguments.empty()) call_.arguments = "{}";
    return true;
  }

 private:
  bool members(std::size_t depth) {
    if (!in_.take('{')) return in_.expected("'{'");
    std::set<std::string> keys;
    for (;;) {
      in_.skip_space();
      if (in_.take('}')) return true;
      std::string key;
      if (in_.peek() != '"' && in_.peek() != '\'') return in_.expected("a key");
      if (!read_string(in_, Escapes::kJson, key)) return false;
      in_.skip_space();
      if (!in_.take(':')) return in_.expected("':'");
      in_.skip_space();
      if (!member(key, depth)) return false;
      if (!keys.insert(std::move(key)).second) return in_.fail("a key is there twice");
      in_.skip_space();
      if (!in_.take(',') && in_.peek() != '}') return in_.expected("',' or '}'");
    }
  }

  bool member(const std::string& key, std::size_t depth) {
    if (key == "name") return name();
    if (key == "arguments" || key == "parameters") return arguments();
    if (key == "function" && depth == 0 && in_.peek() == '{') return members(1);
    std::string ignored;
    return read_value(in_, Escapes::kJson, ignored);
  }

  bool name() {
    if (named_) return in_.fail("a call with two names");
    if (in_.peek() != '"' && in_.peek() != '\'') return in_.expected("a name in quotes");
    call_.name.clear();
    if (!read_string(in_, Escapes::kJson, call_.name)) return false;
    if (!is_function_name(call_.name)) return in_.fail("no name of a function");
    return named_ = true;
  }

  bool arguments() {
    if (!call_.arguments.empty()) return in_.fail("a call with arguments twice");
    if (in_.peek() == '{') return read_object(in_, Escapes::kJson, call_.arguments);
    if (in_.peek() != '"' && in_.peek() != '\'') return in_.expected("an object of arguments");
    std::string json;
    if (!read_string(in_, Escapes::kJson, json)) return false;
    Reader inner(json);
    inner.skip_space();
    if (!read_object(inner, Escapes::kJson, call_.arguments)) return in_.fail("arguments that are no JSON object");
    inner.skip_space();
    return inner.at_end() || in_.fail("arguments that are no JSON object");
  }

  Reader& in_;
  CallText& call_;
  bool named_ = false;
};

}  // namespace

bool is_function_name(std::string_view name) noexcept {
  return !name.empty() && name_length(name, is_function_byte) == name.size();
}

bool is_argument_name(std::string_view name) noexcept {
  return !name.empty() && name_length(name, is_name_byte) == name.size();
}

bool read_call(std::string_view text, CallText& call) {
  Reader in(text);
  call.arguments.clear();
  in.skip_space();
  bool good = in.peek() == '{' ? JsonCall(in, call).read() : read_python_call(in, call);
  in.skip_space();
  good = good && (in.at_end() || in.expected("the end of the call"));
  call.problem = in.problem();
  return good;
}

}  // namespace lfm::chat
