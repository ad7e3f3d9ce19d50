// Random lists of tools, and calls that a model which says anything would make of them: our own reader reads every one,
// and its arguments are what the tool's schema allows.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "chat/call_stream.h"
#include "constrain/compile_tools.h"
#include "tests/constrain/verdict.h"
#include "tests/text/sample.h"

namespace lfm::constrain {
namespace {

class RandomTools {
 public:
  explicit RandomTools(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  // A list, and the schema of each tool's arguments.
  std::string list(std::map<std::string, std::string>& schemas) {
    std::string out = "[";
    const std::uint32_t count = 1 + below(4);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string name = std::string(i == 0 ? "f" : "tool.") + std::to_string(i);
      const std::string parameters = object(0);
      schemas[name] = parameters;
      if (i > 0) out += ", ";
      const std::string tool = "{\"name\": \"" + name + "\", \"parameters\": " + parameters + "}";
      out += below(2) == 0 ? tool : "{\"type\": \"function\", \"function\": " + tool + "}";
    }
    return out + "]";
  }

 private:
  std::string number() { return std::to_string(static_cast<int>(below(2000)) - 1000); }

  std::string object(int depth) {
    static constexpr const char* kNames[] = {"city", "n", "when", "tags", "where", "x_1"};
    std::string properties, required;
    for (const char* name : kNames) {
      if (below(2) == 0) continue;
      if (!properties.empty()) properties += ", ";
      properties += "\"" + std::string(name) + "\": " + value(depth + 1);
      if (below(2) == 0) required += (required.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    return "{\"type\": \"object\", \"properties\": {" + properties + "}, \"required\": [" + required +
           "], \"additionalProperties\": false}";
  }

  std::string value(int depth) {
    switch (below(depth > 2 ? 10 : 14)) {
      case 0:
        return R"({"type": "string", "maxLength": 6})";
      case 1:
        return R"({"type": "string", "minLength": 1, "maxLength": 3})";
      case 2:
        return R"({"type": "string", "pattern": "^[a-c'\"\\\\]{1,4}$"})";
      case 3:
        return R"({"type": "string", "format": "date"})";
      case 4:
        return "{\"type\": \"integer\", \"minimum\": " + number() + "}";
      case 5:
        return R"({"type": "number", "minimum": -2.5, "maximum": 17.25})";
      case 6:
        return R"({"type": ["boolean", "null"]})";
      case 7:
        return R"({"enum": ["it's", "a \"b\"", 3, null, true, "line\nend"]})";
      case 8:
        return R"({"const": {"a": [1, "x"]}})";
      case 9:
        return R"({"type": "integer", "multipleOf": 7, "minimum": 0, "maximum": 100})";
      case 10:
        return "{\"type\": \"array\", \"items\": " + value(depth + 1) + ", \"maxItems\": 3}";
      case 11:
        return "{\"anyOf\": [" + value(depth + 1) + ", " + value(depth + 1) + "]}";
      default:
        return object(depth);
    }
  }

  std::mt19937 random_;
};

struct Calls : chat::PieceSink {
  void piece(const Piece& piece) override {
    if (piece.kind == PieceKind::kToolCall) all.emplace_back(piece.name, piece.arguments);
    if (piece.kind == PieceKind::kMalformedCall) problem = std::string(piece.error);
  }
  std::vector<std::pair<std::string, std::string>> all;
  std::string problem;
};

// One answer. Empty where it doesn't end in so many tokens.
std::string say(Grammar& grammar, const TokenTrie& trie, RandomTools& random) {
  LexemeMasks masks(grammar, trie);
  Matcher matcher(grammar, &masks, &trie);
  TokenMask mask(trie.tokens());
  std::string text;
  for (int step = 0; step < 400; ++step) {
    if (!matcher.mask(mask).ok()) return {};
    if (matcher.is_complete()) return text;
    std::vector<TokenId> ids, ends;
    for (std::size_t i = 0; i < trie.tokens(); ++i) {
      const auto id = static_cast<TokenId>(i);
      if (!mask.test(id)) continue;
      ids.push_back(id);
      const char last = trie.bytes(id).back();
      if (last == '\'' || last == '"' || last == ')' || last == ']' || last == '}') ends.push_back(id);
    }
    EXPECT_FALSE(ids.empty()) << "stuck at " << text;
    if (ids.empty()) return {};
    // Ends are rare otherwise.
    const std::vector<TokenId>& from = !ends.empty() && random.below(3) == 0 ? ends : ids;
    const TokenId token = from[random.below(static_cast<std::uint32_t>(from.size()))];
    const auto accepted = matcher.accept(trie.bytes(token));
    EXPECT_TRUE(accepted.ok() && *accepted);
    text += trie.bytes(token);
  }
  return {};
}

TEST(RandomTools, EveryCallIsReadAndAllowed) {
  const TokenTrie trie(text::sample_tokenizer());
  std::size_t ended = 0, calls = 0;
  for (std::uint32_t seed = 0; seed < LFM_TOOL_LISTS; ++seed) {
    RandomTools random(seed);
    std::map<std::string, std::string> schemas;
    const std::string list = random.list(schemas);
    const CallForm form = seed % 3 == 0 ? CallForm::kJson : CallForm::kPython;
    const auto grammar = compile_tools(list, {.form = form});
    ASSERT_TRUE(grammar.ok()) << list << grammar.error().describe();
    for (int walk = 0; walk < 3; ++walk) {
      const std::string text = say(**grammar, trie, random);
      if (text.empty()) continue;
      ++ended;
      Calls read;
      chat::CallStream stream;
      stream.push(text, read);
      stream.finish(false, read);
      ASSERT_EQ(read.problem, "") << text;
      ASSERT_FALSE(read.all.empty()) << text;
      for (const auto& [name, arguments] : read.all) {
        ++calls;
        ASSERT_TRUE(schemas.contains(name)) << text;
        const auto schema = compile_json_schema(schemas[name]);
        ASSERT_TRUE(schema.ok());
        EXPECT_EQ(verdict(**schema, respell(arguments).text, Order::kAny), "allowed") << text << "\n" << schemas[name];
      }
    }
  }
  EXPECT_GT(ended, LFM_TOOL_LISTS * 2u);
  EXPECT_GT(calls, ended);
}

}  // namespace
}  // namespace lfm::constrain
