// The files of this folder, and what tests of templates do with them.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/json_value.h"
#include "jinja/template.h"

namespace lfm::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

inline std::string file(const std::string& name) {
  std::ifstream in(std::string(LFM_JINJA_DATA) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline Value json(std::string_view text) {
  return chat::read_json(text, "json").value();
}

inline std::vector<Value> json_lines(const std::string& name) {
  std::ifstream in(std::string(LFM_JINJA_DATA) + "/" + name);
  std::vector<Value> out;
  for (std::string line; std::getline(in, line);) out.push_back(json(line));
  return out;
}

// A member of a mapping; undefined where there is none.
inline Value member(const Value& of, std::string_view name) {
  const Value* found = of.dict().find(name);
  return found != nullptr ? *found : Value();
}

inline Variables variables(const Value& dict) {
  Variables out;
  for (const auto& [key, value] : dict.dict().members) out.emplace_back(key.bytes(), value);
  return out;
}

// 14 March 2026, a Saturday, as make_golden.py has it.
inline Clock test_clock() {
  Clock clock;
  clock.time.tm_year = 126;
  clock.time.tm_mon = 2;
  clock.time.tm_mday = 14;
  clock.time.tm_wday = 6;
  clock.time.tm_yday = 72;
  return clock;
}

inline Result<Text> render(std::string_view source, const Variables& variables, const Limits& limits = {}) {
  const Clock clock = test_clock();
  const auto made = Template::parse(source);
  return made.ok() ? (*made)->render(variables, &clock, limits) : Result<Text>(made.error());
}

// What a conversation of conversations.json gives to a template.
inline Variables variables_of(const Value& row) {
  const auto ours = [](const char* text) { return Value::string(text, Origin::kTemplate); };
  const Value tools = member(row, "tools"), prompt = member(row, "prompt");
  Variables out = {{"bos_token", ours("<|startoftext|>")},
                   {"eos_token", ours("<|im_end|>")},
                   {"tools", tools.is(Kind::kUndefined) ? Value::none() : tools},
                   {"messages", member(row, "messages")},
                   {"add_generation_prompt", prompt.is(Kind::kUndefined) ? Value::boolean(true) : prompt},
                   {"documents", Value::none()}};
  if (!member(row, "preserve").is(Kind::kUndefined)) {
    out.emplace_back("preserve_thinking", Value::boolean(true));
    out.emplace_back("keep_past_thinking", Value::boolean(true));
  }
  return out;
}

}  // namespace lfm::jinja
