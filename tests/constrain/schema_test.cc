#include <gtest/gtest.h>

#include "tests/constrain/verdict.h"

namespace lfm::constrain {
namespace {

struct Example {
  const char* schema;
  std::vector<const char*> allowed;
  std::vector<const char*> refused;
};

void check(const std::vector<Example>& examples, Order order = Order::kAsGiven) {
  for (const Example& example : examples) {
    const auto grammar = compile_json_schema(example.schema);
    ASSERT_TRUE(grammar.ok()) << example.schema << ": " << grammar.error().describe();
    for (const char* text : example.allowed) EXPECT_EQ(verdict(**grammar, text, order), "allowed") << example.schema << " " << text;
    for (const char* text : example.refused) EXPECT_NE(verdict(**grammar, text, order), "allowed") << example.schema << " " << text;
  }
}

std::string problem(std::string_view schema) {
  const auto grammar = compile_json_schema(schema);
  return grammar.ok() ? "none" : grammar.error().describe();
}

TEST(Schema, Scalars) {
  check({
      {"{}", {"null", "[1, {\"a\": []}]", "{\"x\": {}}", "\"\\u0001\u00e9\""}, {"nul", "[1,2]", "{\"a\":1}", "\"\n\"", "{\"a\": 1, \"a\": 2}"}},
      {R"({"type": ["string", "null"]})", {"null", "\"\""}, {"1", "true"}},
      {R"({"type": "string", "nullable": true})", {"null", "\"a\""}, {"false"}},
      {R"({"enum": ["a\"b", 1.0, null, {"k": [1]}]})", {"\"a\\\"b\"", "1", "null", "{\"k\": [1]}"}, {"\"a\"", "{\"k\": [2]}", "{}"}},
      {R"({"type": "string", "minLength": 2, "maxLength": 3})", {"\"\u65e5\u65e5\"", "\"a\\nb\""}, {"\"a\"", "\"abcd\""}},
      {R"({"enum": ["a", "bb", 3], "type": "string", "minLength": 2})", {"\"bb\""}, {"\"a\"", "3"}},
      {R"({"type": "string", "pattern": "^[a-z]+$", "maxLength": 3})", {"\"abc\""}, {"\"abcd\"", "\"\""}},
  });
}

TEST(Schema, Objects) {
  check({
      {R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}, "required": ["b"],
           "additionalProperties": false})",
       {"{\"a\": 1, \"b\": true}", "{\"b\": false}"},
       {"{}", "{\"a\": 1}", "{\"b\": true, \"a\": 1}", "{\"b\": true, \"c\": 1}", "{\"b\":true}"}},
      {R"({"type": "object", "properties": {"a": false}, "required": ["z"]})",
       {"{\"z\": 1, \"y\": 2}"}, {"{\"a\": 1, \"z\": 1}", "{\"y\": 2}"}},
      {R"({"type": "object", "patternProperties": {"^s_": {"type": "string"}}, "additionalProperties": {"type": "integer"}})",
       {"{\"s_a\": \"\", \"b\": 1}", "{}"}, {"{\"s_a\": 1}", "{\"b\": \"\"}"}},
      {R"({"type": "object", "propertyNames": {"maxLength": 2}, "minProperties": 1, "maxProperties": 2})",
       {"{\"ab\": 1}", "{\"a\": 1, \"b\": 2}"}, {"{}", "{\"abc\": 1}", "{\"a\": 1, \"b\": 2, \"c\": 3}"}},
      {R"({"type": "object", "propertyNames": {"enum": ["x", "y"]}, "minProperties": 2})",
       {"{\"y\": 1, \"x\": 2}"}, {"{\"x\": 1}", "{\"x\": 1, \"x\": 2}"}},
      {R"({"type": "object", "dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {}}})",
       {"{\"b\": 1}", "{\"a\": 1, \"b\": 1}", "{}"}, {"{\"a\": 1}"}},
  });
  check({{R"({"properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a", "b"], "type": "object", "maxProperties": 2})",
          {"{\"b\": 1, \"a\": 2}"}, {"{\"b\": 1, \"b\": 2}", "{\"b\": 1, \"c\": 1}"}}}, Order::kAny);
}

TEST(Schema, Arrays) {
  check({
      {R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2})", {"[1]", "[1, 2]"}, {"[]", "[1, 2, 3]", "[1,2]"}},
      {R"({"type": "array", "prefixItems": [{"type": "null"}], "items": false})", {"[]", "[null]"}, {"[1]", "[null, null]"}},
      {R"({"type": "array", "items": [{"type": "null"}], "additionalItems": {"type": "integer"}})", {"[null, 1, 2]"}, {"[1]"}},
      {R"({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true})", {"[\"b\", \"a\"]", "[]"}, {"[\"a\", \"a\"]", "[\"a\", \"b\", \"a\"]"}},
      {R"({"type": "array", "items": {"type": "string", "maxLength": 1}, "uniqueItems": true})", {"[\"a\", \"\", \"b\"]"}, {"[\"a\", \"a\"]", "[\"\", \"\"]"}},
      {R"({"type": "array", "items": {"type": "number"}, "uniqueItems": true})", {"[1, 1.5, 15]"}, {"[1, 1]", "[1, 1.0]", "[1, 1e0]"}},
  });
  EXPECT_EQ(verdict(R"({"type": "array", "items": {"type": "null"}, "maxItems": 1000000})", "[null, null]"), "allowed");
  // What can only end as an item that is there already isn't begun.
  EXPECT_EQ(verdict(R"({"type": "array", "items": {"type": "string", "maxLength": 2}, "uniqueItems": true})", "[\"ab\", \"ab\"]"),
            "refused at 9");
}

TEST(Schema, ItemsThatThereMustBe) {
  check({
      {R"({"type": "array", "contains": {"type": "null"}})", {"[null]", "[1, null]", "[null, null, \"\"]"}, {"[]", "[1]", "[1, \"\"]"}},
      {R"({"type": "array", "contains": {"minimum": 5}, "items": {"type": "integer"}, "minContains": 2, "maxContains": 3, "maxItems": 4})",
       {"[5, 6]", "[1, 5, 7]", "[5, 5, 5, 1]"}, {"[5]", "[1, 2, 3", "[5, 5, 5, 5", "[1, 5]"}},
      {R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "string"}], "items": false, "contains": {"const": "x"}})",
       {"[null, \"x\"]"}, {"[null]", "[null, \"y"}},
      {R"({"type": "array", "contains": {"type": "object", "required": ["a"]}, "items": {"type": "object"}})",
       {"[{\"a\": 1}]", "[{\"b\": 1}, {\"a\": 1}]"}, {"[{\"b\": 1}]", "[{}]"}},
      {R"({"type": "array", "contains": {"type": "null"}, "minContains": 0, "maxContains": 1})", {"[]", "[1]", "[null]"}, {"[null, n"}},
      {R"({"type": "array", "not": {"items": {"type": "integer"}}})", {"[\"\"]", "[1, null]"}, {"[]", "[1, 2]"}},
      {R"({"type": "array", "not": {"contains": {"type": "integer"}}})", {"[]", "[\"\", 1.5]"}, {"[1", "[null, 2"}},
      {R"({"type": "array", "not": {"prefixItems": [true], "items": false}})", {"[1, 2]"}, {"[]", "[1]"}},
      {R"({"not": {"oneOf": [{"type": "integer"}, {"minimum": 3}]}, "type": "number"})", {"2.5", "3"}, {"2", "3.5"}},
      // An array of this schema within it: the depth is what it costs.
      {R"({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "contains": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}]}}}})",
       {"[[null], 1]"}, {"[]", "[1]", "[[]]"}},
  });
  EXPECT_EQ(problem(R"({"type": "array", "contains": {"type": "null"}, "items": {"type": "string"}})"), "schema: nothing satisfies the schema");
}

TEST(Schema, MembersThatThereMustBe) {
  check({
      {R"({"type": "object", "not": {"patternProperties": {"^a": {"type": "integer"}}}})",
       {"{\"ab\": \"\"}", "{\"b\": 1, \"a\": null}"}, {"{}", "{\"ab\": 1}", "{\"b\": null}"}},
      {R"({"type": "object", "properties": {"ax": {}, "b": {}}, "not": {"patternProperties": {"^a": {"type": "integer"}}}, "additionalProperties": false})",
       {"{\"ax\": \"\"}", "{\"ax\": null, \"b\": 1}"}, {"{}", "{\"ax\": 1", "{\"b\""}},
      {R"({"type": "object", "not": {"propertyNames": {"maxLength": 2}}})", {"{\"abc\": 1}", "{\"a\": 1, \"abc\": 1}"}, {"{}", "{\"ab\": 1}"}},
      {R"({"type": "object", "not": {"properties": {"a": {}}, "additionalProperties": false}})",
       {"{\"b\": 1}", "{\"a\": 1, \"b\": 1}"}, {"{}", "{\"a\": 1}"}},
      {R"({"type": "object", "not": {"additionalProperties": {"type": "integer"}}, "maxLength": 1})", {"{\"b\": \"\"}"}, {"{}", "{\"a\": 1}"}},
      {R"({"type": "object", "not": {"dependentRequired": {"a": ["b"]}}})", {"{\"a\": 1}"}, {"{}", "{\"a\": 1, \"b\": 1}"}},
      {R"({"type": "object", "not": {"dependentSchemas": {"a": {"minProperties": 2}}}})", {"{\"a\": 1}"}, {"{}", "{\"a\": 1, \"b\": 1}"}},
      {R"({"oneOf": [{"type": "object", "properties": {"a": {}}, "additionalProperties": false}, {"type": "object", "patternProperties": {"^[ab]$": {}}, "additionalProperties": false}]})",
       {"{\"b\": 1}", "{\"a\": 2, \"b\": 1}"}, {"{}", "{\"a\": 1}", "{\"c\""}},
  });
  EXPECT_EQ(problem(R"({"type": "object", "not": {"propertyNames": {"maxLength": 2}}, "maxProperties": 3})"),
            "/not/propertyNames: \"not\" can't be held of members beside \"maxProperties\"");
}

TEST(Schema, Combinations) {
  check({
      {R"({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]})", {"1", "\"a\""}, {"\"ab\"", "null"}},
      {R"({"allOf": [{"type": "object", "properties": {"a": {"minimum": 3}}, "required": ["a"]}, {"properties": {"a": {"type": "integer", "maximum": 4}}}]})",
       {"{\"a\": 3}"}, {"{\"a\": 2}", "{\"a\": 5}", "{}"}},
      {R"({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 2}]})", {"1", "2.5"}, {"2", "1.5"}},
      {R"({"oneOf": [{"properties": {"t": {"const": "a"}, "x": {"type": "integer"}}, "required": ["t", "x"], "type": "object"},
                     {"properties": {"t": {"const": "b"}}, "required": ["t"], "type": "object"}]})",
       {"{\"t\": \"a\", \"x\": 1}", "{\"t\": \"b\", \"x\": \"\"}"}, {"{\"t\": \"a\", \"x\": \"\"}", "{\"t\": \"c\"}"}},
      {R"({"not": {"type": "string"}})", {"1", "null"}, {"\"\""}},
      {R"({"not": {"required": ["a", "b"]}, "type": "object"})", {"{\"a\": 1}", "{\"b\": 1}", "{}"}, {"{\"a\": 1, \"b\": 2}"}},
      {R"({"type": "string", "not": {"pattern": "^a"}})", {"\"b\"", "\"\""}, {"\"ab\""}},
      {R"({"type": "integer", "not": {"enum": [3, 4]}})", {"2", "34"}, {"3", "4"}},
      {R"({"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["x"]}, "else": {"required": ["y"]}, "type": "object",
           "properties": {"k": {"type": "integer"}, "x": {}, "y": {}}})",
       {"{\"k\": 1, \"x\": 0}", "{\"k\": 2, \"y\": 0}", "{\"y\": 0}"}, {"{\"k\": 1}", "{\"k\": 2, \"x\": 0}"}},
      {R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}, "additionalProperties": false}}})",
       {"{}", "{\"next\": {\"next\": {}}}"}, {"{\"next\": 1}"}},
      {R"({"$ref": "#/definitions/a", "minimum": 5, "definitions": {"a": {"type": "integer"}}})", {"5"}, {"4"}},
      {R"({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "minimum": 5, "definitions": {"a": {"type": "integer"}}})", {"4"}, {"4.5"}},
  });
}

TEST(Schema, WhatCannotBeHeldIsNamedWithItsPlace) {
  EXPECT_EQ(problem(R"({"properties": {"a": {"$dynamicRef": "#x"}}})"), "/properties/a/$dynamicRef: \"$dynamicRef\" can't be held");
  EXPECT_EQ(problem(R"({"type": "array", "contains": {"type": "null"}, "allOf": [{"contains": {"type": "string"}}]})"),
            "/allOf/0/contains: \"contains\" can't be held beside another one");
  EXPECT_EQ(problem(R"({"type": "string", "format": "iri"})"), "/format: \"format\" can't be held \"iri\"");
  EXPECT_EQ(problem(R"({"type": "array", "uniqueItems": true})"),
            "/uniqueItems: \"uniqueItems\" can't be held where items may be objects or arrays");
  EXPECT_EQ(problem(R"({"type": "number", "multipleOf": 0.1})"),
            "/multipleOf: \"multipleOf\" can't be held of anything but an integer of at most nine digits");
  EXPECT_EQ(problem(R"({"$ref": "http://example.org/x"})"),
            "/$ref: \"$ref\" can't be held to another document, \"http://example.org/x\"");
  EXPECT_EQ(problem(R"({"not": {"uniqueItems": true}})"), "/not: \"not\" can't be held of \"uniqueItems\"");
  EXPECT_EQ(problem(R"({"items": {"type": "text"}})"), "/items/type: \"type\" that doesn't exist");
  EXPECT_EQ(problem(R"({"properties": {"a/b": {"pattern": "("}}})").substr(0, 23), "/properties/a~1b/patter");
  EXPECT_EQ(problem("[1"), "schema: this isn't JSON (at byte 2)");
  EXPECT_EQ(problem("false"), "schema: nothing satisfies the schema");
  EXPECT_EQ(problem(R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})"), "schema: nothing satisfies the schema");
}

TEST(Schema, WhatHasComeTooMuchIsNothingAtOnce) {
  const char* words = R"({"type": "string", "oneOf": [{"pattern": "red"}, {"pattern": "green"}, {"pattern": "blue"}, {"pattern": "grey"},
      {"pattern": "[0-9]{3,9}"}], "maxLength": 400})";
  EXPECT_EQ(verdict(words, "\"a red one\""), "allowed");
  EXPECT_EQ(verdict(words, "\"a red, green one\""), "refused at 12");
  EXPECT_EQ(verdict(words, "\"one\""), "refused at 4");
  const char* host = R"({"type": "string", "format": "hostname"})";
  EXPECT_EQ(verdict(host, "\"ab--\""), "refused at 4");
  EXPECT_EQ(verdict(host, "\"" + std::string(63, 'a') + "." + std::string(63, 'b') + "\""), "allowed");
  const char* address = R"({"type": "string", "minLength": 30, "maxLength": 254, "pattern": "^[^@\\s]+@[^@.\\s]+(\\.[^@.\\s]*)*.gov.uk"})";
  EXPECT_EQ(verdict(address, "\"somebody.or.other@somewhere.gov.uk\""), "allowed");
  EXPECT_EQ(verdict(address, "\"a@b.gov.uk\""), "refused at 11");
}

TEST(Schema, UnknownVocabulariesAreRefused) {
  EXPECT_EQ(verdict(R"({"$schema": "http://example.com/mine", "type": "null"})", "null"),
            "/$schema: \"$schema\" can't be held of another vocabulary than JSON Schema's");
  EXPECT_EQ(verdict(R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "null"})", "null"), "allowed");
}

TEST(Schema, FormatsAreHeldToOrAsTheDraftHasThem) {
  const auto verdict_of = [](const char* draft, bool by_draft, std::string_view text) {
    const auto grammar = compile_json_schema(std::string(R"({"$schema": "https://json-schema.org/)") + draft +
                                                 R"(/schema", "type": "string", "format": "date"})",
                                             by_draft);
    return verdict(**grammar, text);
  };
  for (const char* draft : {"draft-07", "draft/2019-09", "draft/2020-12"}) {
    EXPECT_EQ(verdict_of(draft, false, "\"2026-11-29\""), "allowed");
    EXPECT_EQ(verdict_of(draft, false, "\"soon\""), "refused at 1");
  }
  EXPECT_EQ(verdict_of("draft-07", true, "\"soon\""), "refused at 1");
  EXPECT_EQ(verdict_of("draft/2020-12", true, "\"soon\""), "allowed");
  const char* unknown = R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "not": {"format": "iri"}})";
  EXPECT_EQ(compile_json_schema(unknown).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(compile_json_schema(unknown, true).error().message, "nothing satisfies the schema");
}

TEST(Schema, FormatsOfOpenApi) {
  const char* bytes = R"({"type": "string", "format": "byte"})";
  for (const char* text : {R"("")", R"("bGZt")", R"("bGY=")", R"("bA==")"}) EXPECT_EQ(verdict(bytes, text), "allowed") << text;
  for (const char* text : {R"("bGZ")", R"("bB==")", R"("bGZ=")", R"("b GZt")"}) EXPECT_NE(verdict(bytes, text), "allowed") << text;
  EXPECT_EQ(verdict(R"({"type": "string", "format": "password"})", R"("a\nb \"")"), "allowed");
}

// The same schema is too much on every machine, or on none.
TEST(Schema, WorkIsCounted) {
  const char* schema = R"-({"type": "string", "pattern": "^(?=.*a.{3}b)(?=.*b.{3}c)", "maxLength": 40})-";
  EXPECT_TRUE(compile_json_schema(schema).ok());
  const auto limited = compile_json_schema(schema, false, 10'000);
  ASSERT_FALSE(limited.ok());
  EXPECT_EQ(limited.error().code, ErrorCode::kLimit);
  EXPECT_EQ(limited.error().message, "too many states, or too much work");
}

// Most would take for ever, or all of the memory or the stack.
TEST(Schema, HostileOnesEnd) {
  const auto is_held = [](const std::string& schema) { return compile_json_schema(schema).ok(); };
  EXPECT_FALSE(is_held(std::string(60'000, '[')));
  std::string deep;
  for (int i = 0; i < 3'000; ++i) deep += R"({"items": )";
  EXPECT_FALSE(is_held(deep + "{}" + std::string(3'000, '}')));
  EXPECT_FALSE(is_held(R"({"$ref": "#"})"));
  EXPECT_FALSE(is_held(R"({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}})"));
  EXPECT_FALSE(is_held(R"({"type": "string", "minLength": 1000000000})"));
  std::string choices;
  for (int i = 0; i < 40; ++i) choices += R"({"anyOf": [{"minLength": 1}, {"maxLength": 5}, {"minimum": 2}]},)";
  EXPECT_FALSE(is_held(R"({"allOf": [)" + choices + "{}]}"));
  std::string values = "\"0\"";
  for (int i = 1; i < 100'000; ++i) values += ",\"" + std::to_string(i) + "\"";
  EXPECT_TRUE(is_held(R"({"enum": [)" + values + "]}"));
  EXPECT_FALSE(is_held(R"({"enum": [")" + std::string(1 << 20, 'a') + "\"]}"));
  std::string chain, members;
  for (int i = 0; i < 14'000; ++i) {
    const std::string next = R"({"$ref": "#/$defs/)" + std::to_string(i + 1) + "\"}";
    chain += "\"" + std::to_string(i) + R"(": {"anyOf": [)" + next + "," + next + "]},";
    members += "\"" + std::to_string(i) + "\": {},";
  }
  EXPECT_FALSE(is_held(R"({"$ref": "#/$defs/0", "$defs": {)" + chain + R"("14000": {}}})"));
  EXPECT_TRUE(is_held(R"({"properties": {)" + members + R"("x": {}}, "required": ["x"]})"));
}

}  // namespace
}  // namespace lfm::constrain
