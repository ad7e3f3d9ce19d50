// Walks that take any allowed token, again and again: they never get stuck, and what they end as is allowed. At every
// step the mask is what trying each token says.
#include <gtest/gtest.h>

#include <random>

#include "constrain/compile_tools.h"
#include "constrain/match/matcher.h"
#include "tests/constrain/verdict.h"
#include "tests/text/sample.h"

namespace lfm::constrain {
namespace {

const char* const kSchemas[] = {
    "{}",
    R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}, "n": {"type": "integer", "minimum": -3, "maximum": 120},
        "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "uniqueItems": true}}, "required": ["name", "n"]})",
    R"({"type": "object", "patternProperties": {"^[ab]$": {"type": "integer"}}, "additionalProperties": false, "minProperties": 2})",
    R"({"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 1, "maxItems": 3})",
    R"({"type": "array", "items": {"type": "number", "minimum": 0.5, "exclusiveMaximum": 2}, "uniqueItems": true})",
    R"({"oneOf": [{"properties": {"t": {"const": "a"}, "x": {"type": "string", "pattern": "^[a-f]{2,8}$"}}, "required": ["t", "x"], "type": "object", "additionalProperties": false},
                  {"properties": {"t": {"const": "b"}, "y": {"type": "null"}}, "required": ["t"], "type": "object", "additionalProperties": false}]})",
    R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "boolean"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
        "required": ["v"], "additionalProperties": false}}})",
    R"({"type": "object", "propertyNames": {"enum": ["x", "y", "z"]}, "minProperties": 3, "additionalProperties": {"type": "string", "minLength": 2, "maxLength": 4}})",
    // Characters that are counted, alone and with a length besides.
    R"({"type": "string", "pattern": "^[a-z\u00e9]{2,30}$", "minLength": 4, "maxLength": 20})",
    R"({"type": "array", "items": {"type": "string", "pattern": "^.{1,3}$"}, "minItems": 2, "maxItems": 3})",
    R"({"type": "array", "items": {"type": "string", "pattern": "^[^\"e]+$", "maxLength": 5}, "minItems": 1, "maxItems": 2})",
    R"({"type": "string", "pattern": "^x[a-z]*\"?$", "minLength": 3, "maxLength": 6})",
    // Names of which there are many, few behind some beginnings, and those that aren't others.
    R"({"type": "object", "patternProperties": {"^a.+$": {"type": "integer"}}, "additionalProperties": false, "minProperties": 2})",
    R"({"type": "object", "patternProperties": {"^([ab]|x.*)$": {"type": "null"}}, "additionalProperties": false, "minProperties": 3})",
    R"({"type": "object", "properties": {"the": {"type": "null"}, "then": {"type": "null"}}, "minProperties": 1, "maxProperties": 4})",
    R"({"type": "object", "patternProperties": {"^.{1,2}$": {"type": "null"}}, "additionalProperties": false, "minProperties": 4})",
    // Items that may not come twice, of which there are few and many.
    R"({"type": "array", "items": {"type": "string", "maxLength": 1}, "uniqueItems": true, "minItems": 4, "maxItems": 6})",
    R"({"type": "array", "items": {"type": "string", "pattern": "^[ab]?[\\n\"]?$"}, "uniqueItems": true, "minItems": 5})",
    R"({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 12}, "uniqueItems": true, "minItems": 4})",
    R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true, "minItems": 2})",
    // Members and items that there must be.
    R"({"type": "object", "properties": {"a": {"type": ["null", "integer"]}, "b": {"type": "null"}}, "not": {"patternProperties": {"^[abc]$": {"type": "integer"}}},
        "patternProperties": {"^[cd]$": {"type": ["null", "integer"]}}, "additionalProperties": false, "minProperties": 2})",
    R"({"type": "object", "not": {"propertyNames": {"pattern": "^[a-m]"}}, "additionalProperties": {"type": "null"}})",
    R"({"type": "array", "items": {"type": ["integer", "null"]}, "contains": {"type": "null"}, "minContains": 2, "maxContains": 3, "maxItems": 5})",
    R"({"type": "array", "prefixItems": [{"type": "null"}], "not": {"items": {"type": "boolean"}}, "items": {"type": ["boolean", "null"]}, "minItems": 3})",
};

// Arguments in Python's notation, where a text has several spellings.
const char* const kTools = R"([{"name": "f", "parameters": {"type": "object", "properties": {
    "d": {"type": "object", "propertyNames": {"pattern": "^[a\n'\"]$"}, "additionalProperties": {"type": "null"}, "minProperties": 3},
    "u": {"type": "array", "items": {"type": "string", "maxLength": 1}, "uniqueItems": true, "minItems": 3}},
    "required": ["d", "u"]}}])";

std::vector<std::shared_ptr<Grammar>> grammars() {
  std::vector<std::shared_ptr<Grammar>> all;
  for (const char* schema : kSchemas) all.push_back(compile_json_schema(schema).value());
  all.push_back(compile_tools(kTools, {}).value());
  return all;
}

const TokenTrie& sample_trie() {
  static const TokenTrie trie(text::sample_tokenizer());
  return trie;
}

// Any of the tokens, or one of the shortest, with which texts soon end and come again.
TokenId any_of(const TokenMask& mask, std::mt19937& random, bool shortest) {
  std::vector<TokenId> ids;
  std::size_t length = text::Vocabulary::kMaxTokenBytes;
  for (std::size_t i = 0; i < sample_trie().tokens(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!mask.test(id)) continue;
    const std::size_t own = sample_trie().bytes(id).size();
    if (shortest && own < length) ids.clear();
    if (shortest) length = std::min(length, own);
    if (!shortest || own == length) ids.push_back(id);
  }
  return ids[random() % ids.size()];
}

// What trying every token says. A byte that no text has comes behind each, so that the matcher stays where it is.
TokenMask tried(Matcher& matcher) {
  TokenMask mask(sample_trie().tokens());
  for (std::size_t i = 0; i < sample_trie().tokens(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!sample_trie().is_text(id)) continue;
    std::size_t matched = 0;
    const auto accepted = matcher.accept(std::string(sample_trie().bytes(id)) + "\xff", &matched);
    EXPECT_TRUE(accepted.ok() && !*accepted);
    if (matched == sample_trie().bytes(id).size()) mask.set(id);
  }
  return mask;
}

TEST(Walk, NeverStuckAndAlwaysRight) {
  std::mt19937 random(11);
  for (const auto& grammar : grammars()) {
    LexemeMasks masks(*grammar, sample_trie());
    for (int walk = 0; walk < 12; ++walk) {
      Matcher matcher(*grammar, &masks, &sample_trie());
      TokenMask mask(sample_trie().tokens());
      std::string text;
      for (int step = 0; step < 150; ++step) {
        ASSERT_TRUE(matcher.mask(mask).ok());
        if (matcher.is_complete() && (mask.empty() || random() % 4 == 0)) break;
        ASSERT_FALSE(mask.empty()) << "stuck at " << text;
        if (walk == 0 && step < 20) {
          const TokenMask wanted = tried(matcher);
          for (std::size_t i = 0; i < sample_trie().tokens(); ++i) {
            const auto id = static_cast<TokenId>(i);
            ASSERT_EQ(mask.test(id), wanted.test(id)) << text << ", " << sample_trie().bytes(id);
          }
        }
        const auto forced = matcher.forced();
        ASSERT_TRUE(forced.ok());
        const TokenId token = any_of(mask, random, walk % 2 == 0);
        const std::string_view bytes = sample_trie().bytes(token);
        const std::size_t common = std::min(bytes.size(), forced->size());
        EXPECT_EQ(bytes.substr(0, common), forced->substr(0, common));
        const auto accepted = matcher.accept(bytes);
        ASSERT_TRUE(accepted.ok() && *accepted);
        text += bytes;
      }
      if (!matcher.is_complete()) continue;
      EXPECT_EQ(verdict(*grammar, text), "allowed") << text;
    }
  }
}

TEST(Walk, ForcedTextIsWhatHasToCome) {
  const auto grammar = compile_json_schema(
      R"({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})");
  ASSERT_TRUE(grammar.ok());
  Matcher matcher(**grammar, nullptr, nullptr);
  EXPECT_EQ(*matcher.forced(), "{\"city\": \"");
  ASSERT_TRUE(*matcher.accept("{\"city\": \"Paris\""));
  EXPECT_EQ(*matcher.forced(), "}");
  ASSERT_TRUE(*matcher.accept("}"));
  EXPECT_EQ(*matcher.forced(), "");
  EXPECT_TRUE(matcher.is_complete());
}

}  // namespace
}  // namespace lfm::constrain
