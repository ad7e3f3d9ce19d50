// What python3-jinja2 makes of templates, set up as transformers does it for chat templates (make_golden.py).
#include <gtest/gtest.h>

#include <map>

#include "tests/jinja/jinja_sample.h"

namespace lfm::jinja {
namespace {

void check(const Value& expected, const Result<Text>& got, const std::string& what) {
  const Value text = member(expected, "text");
  if (text.is(Kind::kUndefined)) {
    EXPECT_FALSE(got.ok()) << what << "\n" << (got.ok() ? got->bytes() : "");
  } else {
    ASSERT_TRUE(got.ok()) << what << "\n" << got.error().describe();
    EXPECT_EQ(got->bytes(), text.bytes()) << what;
  }
}

TEST(JinjaGolden, Snippets) {
  const Variables given = variables(json(file("snippets.json")));
  const std::vector<Value> rows = json_lines("data/snippets.jsonl");
  EXPECT_GE(rows.size(), 130u);
  for (const Value& row : rows) {
    const std::string source(member(row, "template").bytes());
    check(row, render(source, given), source);
  }
}

TEST(JinjaGolden, Conversations) {
  const Value conversations = json(file("conversations.json"));
  std::map<std::string, Variables, std::less<>> by_name;
  for (const Value& row : conversations.items()) by_name[std::string(member(row, "name").bytes())] = variables_of(row);
  EXPECT_GE(by_name.size(), 30u);
  const std::vector<Value> rows = json_lines("data/conversations.jsonl");
  EXPECT_EQ(rows.size(), by_name.size() * 10);
  for (const Value& row : rows) {
    const std::string name(member(row, "template").bytes()), conversation(member(row, "conversation").bytes());
    check(row, render(file("templates/" + name + ".jinja"), by_name.at(conversation)), name + ", " + conversation);
  }
}

}  // namespace
}  // namespace lfm::jinja
