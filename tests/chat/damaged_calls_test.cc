// Calls that are written strictly, and then damaged as models do it: what is read is what was meant, or no call.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

using Json = nlohmann::ordered_json;

struct Call {
  std::string name;
  Json arguments = Json::object();
  bool operator==(const Call&) const = default;
};
using Calls = std::vector<Call>;

// What models put into strings: prose, code and shell commands, with quotes of either kind.
constexpr const char* kTexts[] = {"it's late",
                                  "don't, won't",
                                  "rock 'n' roll",
                                  "say 'no'",
                                  "'yes', he said",
                                  "sed -n '3,9p' f",
                                  "awk '{print $2}' f",
                                  "echo 'a' && echo 'b'",
                                  "print('x')",
                                  "f('a', b='c')",
                                  "x = 'y'",
                                  "d['k']",
                                  "d['k'] = 'v'",
                                  "{'k': 'v'}",
                                  "['a', 'b']",
                                  "grep -r \"foo\" .",
                                  "a: 'b', c: 'd'",
                                  "if x == '': pass",
                                  "O'Brien (see 'Notes')",
                                  "') or ('",
                                  "the parents' house",
                                  "f'{x}'",
                                  "1, 2",
                                  "a]",
                                  "(b",
                                  "plain",
                                  "",
                                  "two words",
                                  "C:\\dir\\new",
                                  "line\nbreak",
                                  "call g(x='y')",
                                  "5' 11\"",
                                  "'quoted'",
                                  "'tis",
                                  "dogs'",
                                  "x=')'",
                                  "a = 'b')",
                                  "key='value'"};

class Damager {
 public:
  explicit Damager(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Calls calls(std::size_t most, bool texts_alone = false) {
    Calls out(1 + below(most));
    for (Call& call : out) {
      call.name = std::string(1, static_cast<char>('f' + below(4))) + (below(3) == 0 ? ".go" : "");
      for (std::size_t n = below(4); n > 0; --n)
        call.arguments[std::string(1, static_cast<char>('a' + below(6)))] = value(texts_alone ? 2 : 0);
    }
    return out;
  }

  Json value(int depth) {
    switch (depth > 1 ? 0 : below(8)) {
      case 0:
      case 1:
      case 2:
        return text();
      case 3:
        return static_cast<int>(below(100)) - 50;
      case 4:
        return below(2) == 0;
      case 5:
        return nullptr;
      case 6: {
        Json list = Json::array();
        for (std::size_t n = below(4); n > 0; --n) list.push_back(value(depth + 1));
        return list;
      }
      default: {
        Json object = Json::object();
        for (std::size_t n = below(3); n > 0; --n)
          object[std::string(1, static_cast<char>('p' + n))] = value(depth + 1);
        return object;
      }
    }
  }

  std::string text() { return kTexts[below(std::size(kTexts))]; }

 private:
  std::mt19937 random_;
};

using Speller = std::function<std::string(const std::string&)>;

std::string strictly(const std::string& text) {
  std::string out;
  append_python_string(text, out);
  return out;
}

// Between quotes as it is: as the template of the mixture writes it.
Speller raw(char quote) {
  return [quote](std::string text) {
    for (std::size_t at = 0; (at = text.find('\\', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
    return quote + text + quote;
  };
}

std::string spell(const Json& value, const Speller& string) {
  if (value.is_string()) return string(value.get<std::string>());
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (!value.is_structured()) return value.dump();
  std::string out;
  for (const auto& [key, member] : value.items()) {
    out += out.empty() ? "" : ", ";
    if (value.is_object()) out += string(key) + ": ";
    out += spell(member, string);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

std::string arguments(const Json& object, const Speller& string) {
  std::string out;
  for (const auto& [name, value] : object.items()) out += (out.empty() ? "" : ", ") + name + "=" + spell(value, string);
  return out;
}

std::string spell(const Call& call, const Speller& string) {
  return call.name + "(" + arguments(call.arguments, string) + ")";
}

std::string block(const Calls& calls, const Speller& string, const char* between = ", ") {
  std::string out;
  for (const Call& call : calls) out += (out.empty() ? "" : between) + spell(call, string);
  return "[" + out + "]";
}

struct Read {
  Calls calls;
  std::size_t malformed = 0;
};

Read read_block(const std::string& text) {
  struct Sink : PieceSink {
    void piece(const Piece& piece) override {
      if (piece.kind == PieceKind::kMalformedCall) ++out.malformed;
      if (piece.kind != PieceKind::kToolCall) return;
      out.calls.push_back({std::string(piece.name), Json::parse(piece.arguments)});
    }
    Read out;
  } sink;
  CallStream stream;
  stream.push(text, sink);
  stream.finish(false, sink);
  return sink.out;
}

// All that was meant, in order; where something is malformed, some of it.
void expect_meant(const Calls& meant, const Read& read, const std::string& text) {
  auto at = meant.begin();
  for (const Call& call : read.calls) {
    at = std::find(at, meant.end(), call);
    ASSERT_NE(at, meant.end()) << text << "\nread as " << call.name << call.arguments;
    ++at;
  }
  if (read.malformed == 0) {
    ASSERT_EQ(read.calls.size(), meant.size()) << text;
  }
}

TEST(DamagedCalls, Undamaged) {
  Damager damage(1);
  for (int round = 0; round < 3000; ++round) {
    const Calls meant = damage.calls(4);
    const std::string text = block(meant, strictly);
    const Read read = read_block(text);
    ASSERT_EQ(read.malformed, 0u) << text;
    ASSERT_EQ(read.calls, meant) << text;
  }
}

TEST(DamagedCalls, QuotesInStrings) {
  Damager damage(2);
  std::size_t mended = 0;
  constexpr std::size_t kRounds = 20'000;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Calls meant = damage.calls(3);
    const std::string text = block(meant, raw(damage.below(4) == 0 ? '"' : '\''));
    const Read read = read_block(text);
    expect_meant(meant, read, text);
    if (HasFatalFailure()) return;
    mended += read.malformed == 0;
  }
  EXPECT_GT(mended, kRounds * 6 / 10);
}

TEST(DamagedCalls, OtherSpellings) {
  Damager damage(3);
  const Speller formatted = [](const std::string& text) {
    std::string out = strictly(text);
    for (std::size_t at = 0; (at = out.find_first_of("{}", at)) != std::string::npos; at += 2)
      out.insert(at, 1, out[at]);
    return "f" + out;
  };
  for (int round = 0; round < 6000; ++round) {
    const Calls meant = damage.calls(4);
    std::string text;
    for (const Call& call : meant) {
      const std::string object = spell(call.arguments, strictly);
      const std::string first =
          call.arguments.empty()
              ? ""
              : spell(Call{call.name, {{call.arguments.begin().key(), *call.arguments.begin()}}}, strictly);
      std::string spelt = spell(call, strictly);
      switch (damage.below(6)) {
        case 0:
          spelt = call.name + "(" + object + ")";
          break;
        case 1:
          spelt = call.name + "(**" + object + ")";
          break;
        case 2:
          spelt = spell(call, formatted);
          break;
        case 3:  // the first argument once more
          if (!first.empty()) spelt = first.substr(0, first.size() - 1) + ", " + spelt.substr(call.name.size() + 1);
          break;
        case 4:
          spelt = Json({{"name", call.name}, {"arguments", call.arguments}}).dump();
          break;
      }
      text += (text.empty() ? "" : damage.below(5) == 0 ? "; " : damage.below(5) == 0 ? "\n" : ", ") + spelt;
    }
    const Read read = read_block("[" + text + "]");
    ASSERT_EQ(read.malformed, 0u) << text;
    ASSERT_EQ(read.calls, meant) << text;
  }
}

TEST(DamagedCalls, SetsAndBareWords) {
  Damager damage(4);
  for (int round = 0; round < 3000; ++round) {
    Call call{"f", Json::object()};
    std::string elements;
    Json list = Json::array();
    for (std::size_t n = 1 + damage.below(4); n > 0; --n) {
      list.push_back(damage.text());
      elements += strictly(list.back()) + (n > 1 || damage.below(3) == 0 ? ", " : "");
    }
    const std::string word = std::string(1, static_cast<char>('b' + damage.below(4))) + "celsius";
    call.arguments = {{"tags", list}, {"unit", word}};
    const std::string text = "[f(tags={" + elements + "}, unit=" + word + ")]";
    ASSERT_EQ(read_block(text).calls, Calls{call}) << text;
  }
}

// Whatever is bad, the others are there.
TEST(DamagedCalls, BadOnesBetweenGoodOnes) {
  constexpr const char* kBad[] = {"bad(x=b'z')",       "bad(1)",
                                  "bad(x=f'{y}')",     "bad(x=1, x=2)",
                                  "bad(x='a' 3)",      "bad(x='it's 'ok', y=?)",
                                  "bad(x=g(y))",       "bad(x={'k': })",
                                  "bad(x=1 y=2)",      "bad(x=True or 1)",
                                  "bad(x=['a' 'b' c])"};
  Damager damage(5);
  for (int round = 0; round < 6000; ++round) {
    const Calls before = damage.calls(2), behind = damage.calls(2);
    const std::string bad = kBad[damage.below(std::size(kBad))];
    const std::string front = block(before, strictly), end = block(behind, strictly);
    const std::string text = front.substr(0, front.size() - 1) + ", " + bad + ", " + end.substr(1);
    Calls all = before;
    all.insert(all.end(), behind.begin(), behind.end());
    const Read read = read_block(text);
    ASSERT_EQ(read.calls, all) << text;
    ASSERT_EQ(read.malformed, 1u) << text;
  }
}

TEST(DamagedCalls, SaidTwice) {
  Damager damage(6);
  for (int round = 0; round < 500; ++round) {
    const Calls meant = damage.calls(2);
    const std::string said = block(meant, strictly);
    if (said.find('<') != std::string::npos) continue;
    const Pieces once = read("<|tool_call_start|>" + said + "<|tool_call_end|>");
    ASSERT_EQ(read("<|tool_call_start|>" + said + "<|tool_call_end|>" + said + "<|tool_call_end|>"), once) << said;
    ASSERT_EQ(once.size(), meant.size());
  }
}

}  // namespace
}  // namespace lfm::chat
