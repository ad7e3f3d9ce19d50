#include "chat/json.h"

#include <gtest/gtest.h>

namespace lfm::chat {
namespace {

TEST(Json, ObjectsAsPythonDumpsThem) {
  const auto read = read_objects(
      "[ {\"b\" : 1.50,\"a\":[true,null,{}], \"\\u00e9\\n\\u0001\\/\":\"\\\"\\\\\"} ,{}, "
      "{\"n\":123456789012345678901}]",
      "tools");
  ASSERT_TRUE(read.ok()) << read.error().describe();
  EXPECT_EQ(*read,
            (std::vector<std::string>{"{\"b\": 1.50, \"a\": [true, null, {}], \"\u00e9\\n\\u0001/\": \"\\\"\\\\\"}",
                                      "{}", "{\"n\": 123456789012345678901}"}));
  EXPECT_EQ(read_objects("[]", "tools")->size(), 0u);
}

TEST(Json, ArgumentsAsPythonSpellsThem) {
  const auto read = read_arguments(
      "{\"s\": \"plain\\nline\", \"q\": \"it's\", \"b\": \"\\\\'\\\"\", \"l\": [1, \"a'b\", null, {\"k\": false}], "
      "\"o\": {\"k\": [true]}, \"n\": -1e5}",
      "arguments");
  ASSERT_TRUE(read.ok()) << read.error().describe();
  std::string all;
  for (const Argument& argument : *read) all += argument.name + "=" + argument.value + ";";
  EXPECT_EQ(all,
            "s='plain\nline';q=\"it's\";b='\\\\\\'\"';l=[1, \"a'b\", None, {'k': False}];o={\"k\": [true]};n=-1e5;");
}

TEST(Json, Errors) {
  const auto problem = [](std::string_view json) {
    const auto read = read_objects(json, "tools");
    return read.ok() ? std::string() : read.error().describe();
  };
  EXPECT_EQ(problem(""), "tools: this isn't JSON (at byte 0)");
  EXPECT_EQ(problem("[{\"a\": }]"), "tools: this isn't JSON (at byte 7)");
  EXPECT_EQ(problem("[{}] x"), "tools: this isn't JSON (at byte 5)");
  EXPECT_EQ(problem("{}"), "tools: expected an array");
  EXPECT_EQ(problem("1"), "tools: expected an array");
  EXPECT_EQ(problem("[{}, 1]"), "tools: expected an object (index 1)");
  EXPECT_EQ(problem("[{\"a\": 1, \"a\": 2}]"), "tools: the key 'a' is there twice");
  EXPECT_EQ(problem("[{\"a\": \"\xff\"}]").substr(0, 26), "tools: this isn't JSON (at");
  EXPECT_EQ(problem("[{\"a\":" + std::string(100'000, '[')), "tools: nested deeper than 64");
  EXPECT_FALSE(read_arguments("[1]", "arguments").ok());
  EXPECT_FALSE(read_arguments("null", "arguments").ok());
}

}  // namespace
}  // namespace lfm::chat
