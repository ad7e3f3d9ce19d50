#include "chat/call.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "chat/json.h"
#include "chat/name.h"
#include "chat/quotes.h"
#include "chat/value.h"
#include "json/write.h"

namespace lfm::chat {
namespace {

// The value of an argument that is a bare word: a text without its quotes, unless it means something by itself.
bool read_bare_word(Reader& in, std::string& out) {
  static constexpr std::array<std::string_view, 9> kMeanings = {"true", "false",    "none", "null",     "nil",
                                                                "nan",  "infinity", "inf",  "undefined"};
  Reader ahead = in;
  const std::string_view word = take_name(ahead, is_name_byte);
  ahead.skip_space();
  if (word.empty() || (ahead.peek() != ',' && ahead.peek() != ')')) return false;
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  if (std::find(kMeanings.begin(), kMeanings.end(), lower) != kMeanings.end()) return false;
  json::append_text(word, out);
  in = ahead;
  return true;
}

class PythonCall {
 public:
  PythonCall(Reader& in, CallText& call) : in_(in), call_(call) {}

  bool read() {
    call_.name = take_name(in_, is_function_byte);
    if (call_.name.empty()) return in_.expected("a function's name");
    in_.skip_space();
    if (!in_.take('(')) return in_.expected("'('");
    in_.skip_space();
    if (in_.peek() == '{') return only_object();
    call_.arguments = "{";
    for (;;) {
      in_.skip_space();
      if (in_.take(')')) break;
      if (!(in_.looking_at("**") ? dictionary() : argument())) return false;
      in_.skip_space();
      if (!in_.take(',') && in_.peek() != ')') return in_.expected("',' or ')'");
    }
    call_.arguments += '}';
    return true;
  }

 private:
  // f({"a": 1}): the object is all of the arguments.
  bool only_object() {
    if (!read_object(in_, Escapes::kJson, call_.arguments)) return false;
    in_.skip_space();
    if (in_.take(',')) in_.skip_space();
    call_.repair = "the arguments are one object";
    return in_.take(')') || in_.fail("an argument without a name");
  }

  // **{'a': 1}: its members are arguments.
  bool dictionary() {
    in_.skip(2);
    in_.skip_space();
    in_.mended("arguments in a dictionary");
    std::string object;
    if (!read_object(in_, Escapes::kPython, object)) return false;
    Reader members(object);
    members.skip(1);
    while (!members.take('}')) {
      std::string name;
      std::string value;
      if (!read_string(members, Escapes::kJson, Place::kKey, name)) return false;
      members.skip(1);
      if (!read_value(members, Escapes::kJson, Place::kMember, value)) return false;
      if (!add(name, value)) return false;
      members.skip_space();
      if (members.take(',')) members.skip_space();
    }
    return true;
  }

  bool argument() {
    const std::size_t before = in_.rest().size();
    const std::string_view name = take_name(in_, is_name_byte);
    in_.skip_space();
    if (name.empty() || !in_.take('=')) {
      return in_.fail(before == in_.rest().size() ? "an argument without a name"
                                                  : "expected '=' behind an argument's name");
    }
    in_.skip_space();
    std::string value;
    if (read_bare_word(in_, value)) {
      call_.repair = "a text without quotes";
    } else if (!read_value(in_, Escapes::kPython, Place::kArgument, value)) {
      return false;
    }
    return add(std::string(name), value);
  }

  // Twice with one value is once.
  bool add(const std::string& name, const std::string& value) {
    const auto [known, fresh] = values_.try_emplace(name, value);
    if (!fresh) {
      call_.repair = "an argument is there twice";
      return known->second == value || in_.fail("an argument is there twice");
    }
    if (call_.arguments.size() > 1) call_.arguments += ", ";
    json::append_text(name, call_.arguments);
    call_.arguments.append(": ").append(value);
    return true;
  }

  Reader& in_;
  CallText& call_;
  std::map<std::string, std::string> values_;
};

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
      if (!read_string(in_, Escapes::kJson, Place::kKey, key)) return false;
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
    return read_value(in_, Escapes::kJson, Place::kMember, ignored);
  }

  bool name() {
    if (named_) return in_.fail("a call with two names");
    if (in_.peek() != '"' && in_.peek() != '\'') return in_.expected("a name in quotes");
    call_.name.clear();
    if (!read_string(in_, Escapes::kJson, Place::kMember, call_.name)) return false;
    if (!is_function_name(call_.name)) return in_.fail("no name of a function");
    return named_ = true;
  }

  bool arguments() {
    if (!call_.arguments.empty()) return in_.fail("a call with arguments twice");
    if (in_.peek() == '{') return read_object(in_, Escapes::kJson, call_.arguments);
    if (in_.peek() != '"' && in_.peek() != '\'') return in_.expected("an object of arguments");
    std::string json;
    if (!read_string(in_, Escapes::kJson, Place::kMember, json)) return false;
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

bool read_one(Reader& in, CallText& call) {
  call.arguments.clear();
  call.repair = {};
  in.forget_repair();
  in.skip_space();
  const bool good = in.peek() == '{' ? JsonCall(in, call).read() : PythonCall(in, call).read();
  if (call.repair.empty()) call.repair = in.repair();
  return good;
}

// Takes what stands between two calls, or before the first; false where nothing does, or what else can't.
bool take_separators(Reader& in) {
  const std::size_t before = in.rest().size();
  while (in.skip_space(), in.take(',') || in.take('[') || in.take(']')) {
  }
  return in.rest().size() < before;
}

// Calls until the end.
bool read_all(Reader& in, std::vector<MendedCall>& calls) {
  do {
    const std::string_view rest = in.rest();
    MendedCall one;
    if (!read_one(in, one.call)) return false;
    one.text = rest.substr(0, rest.size() - in.rest().size());
    calls.push_back(std::move(one));
  } while (take_separators(in) && !in.at_end());
  return in.at_end();
}

// ["f", {"a": 1}]
bool read_pair(Reader in, CallText& call) {
  in.skip_space();
  if (!in.take('[')) return false;
  in.skip_space();
  if (in.peek() != '"' && in.peek() != '\'') return false;
  call.name.clear();
  call.arguments.clear();
  if (!read_string(in, Escapes::kJson, Place::kElement, call.name)) return false;
  if (!is_function_name(call.name)) return false;
  in.skip_space();
  if (!in.take(',')) return false;
  in.skip_space();
  if (!read_object(in, Escapes::kJson, call.arguments)) return false;
  in.skip_space();
  if (!in.take(']')) return false;
  in.skip_space();
  call.repair = "a name and its arguments in a list";
  return in.at_end();
}

// f, or [f]
bool read_bare_name(Reader in, CallText& call) {
  in.skip_space();
  const bool list = in.take('[');
  in.skip_space();
  call.name = take_name(in, is_function_byte);
  call.arguments = "{}";
  call.repair = "a name without parentheses";
  in.skip_space();
  if (list && !in.take(']')) return false;
  in.skip_space();
  return !call.name.empty() && in.at_end();
}

}  // namespace

bool is_function_name(std::string_view name) noexcept {
  return !name.empty() && name_length(name, is_function_byte) == name.size();
}

bool is_argument_name(std::string_view name) noexcept {
  return !name.empty() && name_length(name, is_name_byte) == name.size();
}

bool read_call(std::string_view text, CallText& call) {
  Reader in(text);
  bool good = read_one(in, call);
  in.skip_space();
  good = good && (in.at_end() || in.expected("the end of the call"));
  call.problem = in.problem();
  return good;
}

bool mend_block(std::string_view block, CallText& call) {
  return read_bare_name(Reader(block), call) || read_pair(Reader(block), call);
}

bool mend_quotes(std::string_view text, std::vector<MendedCall>& calls) {
  Reader in(text);
  in.allow_quotes();
  if (!read_all(in, calls)) return false;
  for (MendedCall& one : calls) one.call.repair = "a quote within a string";
  return true;
}

std::string_view good_tail(std::string_view text, std::vector<MendedCall>& calls) {
  constexpr std::size_t kMostTries = 64;
  Balance front;
  std::size_t tries = 0;
  for (std::size_t at = 0; at < text.size() && tries < kMostTries; ++at) {
    if (!front.add(text[at])) return {};
    if (!front.closed() || (text[at] != ')' && text[at] != '}')) continue;
    Reader in(text.substr(at + 1));
    in.skip_space();
    if (!in.take(',')) continue;
    in.skip_space();
    const std::string_view tail = in.rest();
    ++tries;
    calls.clear();
    if (!tail.empty() && read_all(in, calls)) return tail;
  }
  return {};
}

}  // namespace lfm::chat
