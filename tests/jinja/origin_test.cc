// Who wrote what: whatever a template does with what it is given, this doesn't pass for the template's own.
#include <gtest/gtest.h>

#include "tests/jinja/jinja_sample.h"

namespace lfm::jinja {
namespace {

// Its bytes, those that the template wrote in brackets.
std::string shown(const Result<Text>& text) {
  if (!text.ok()) return text.error().describe();
  std::string out;
  text->runs([&](std::string_view bytes, Origin origin) {
    out += origin == Origin::kTemplate ? "[" + std::string(bytes) + "]" : std::string(bytes);
  });
  return out;
}

Variables given() {
  return variables(json(R"({"x": "abc", "n": 12, "list": ["p", "q"], "map": {"k": "v"}, "yes": true, "f": 1.5})"));
}

TEST(JinjaOrigin, EachByteKeepsIt) {
  const auto run = [](std::string_view source) { return shown(render(source, given())); };
  EXPECT_EQ(run("<{{ x }}>"), "[<]abc[>]");
  EXPECT_EQ(run("{{ '<' + x + '>' }}{{ '<' ~ x }}"), "[<]abc[><]abc");
  EXPECT_EQ(run("{{ n }}{{ n + 1 }}{{ 1 + 1 }}{{ yes }}{{ f * 2 }}{{ -n }}"), "1213[2]True3.0-12");
  EXPECT_EQ(run("{{ x | upper }}{{ ('a' ~ x) | upper }}{{ x[1] }}{{ ('-' ~ x)[:2] }}{{ x | reverse }}"),
            "ABC[A]ABCb[-]acba");
  EXPECT_EQ(run("{{ list | join('+') }}{{ 'a'.join(list) }}{{ x.replace('b', '--') }}{{ x.split('b') | join('b') }}"),
            "p[+]qp[a]qa[--]ca[b]c");
  EXPECT_EQ(run("{{ map | tojson }}{{ list }}{{ ['lit'] }}"), "{\"k\": \"v\"}['p', 'q']['[lit]']");
  EXPECT_EQ(run("{{ ' x ' | trim }}{{ ('  ' ~ x ~ '  ') | trim }}{{ '%s!' % x }}{{ '<{}>'.format(x) }}"),
            "[x]abcabc[!<]abc[>]");
  EXPECT_EQ(run("{% set y %}<{{ x }}>{% endset %}{{ y }}{% macro m(a) %}({{ a }}){% endmacro %}{{ m(x) }}"),
            "[<]abc[>(]abc[)]");
  EXPECT_EQ(run("{{ x | length }}{{ 'ab' | length }}{{ '3' | int }}{{ x | default('y') }}{{ z | default('y') }}"),
            "3[23]abc[y]");
  EXPECT_EQ(run("{% for c in x %}{{ c }}{{ loop.index }}{% endfor %}"), "a[1]b[2]c[3]");
  EXPECT_EQ(run("{{ strftime_now('%Y') }}{{ strftime_now(x) }}"), "[2026]abc");
  EXPECT_EQ(run("{{ x | indent(2, true) }}{{ x | e }}{{ x | title }}{{ x | center(5) }}"), "[  ]abcabcAbc[ ]abc[ ]");
}

// Every string that the templates of the golden tests are given ends with this, which none of their own has.
constexpr const char* kMark = "\xc2\xa4";

Value marked(const Value& value, std::string_view key = {}) {
  if (value.is(Kind::kString) && key != "role" && key != "type") {
    return Value::string(std::string(value.bytes()) + kMark, Origin::kData);
  }
  if (value.is(Kind::kList)) {
    std::vector<Value> items;
    for (const Value& item : value.items()) items.push_back(marked(item));
    return Value::list(std::move(items));
  }
  if (!value.is(Kind::kDict)) return value;
  std::vector<std::pair<Value, Value>> members;
  for (const auto& [name, each] : value.dict().members) members.emplace_back(name, marked(each, name.bytes()));
  return Value::dict(std::move(members));
}

int check_marks(std::string_view source, const Variables& variables) {
  const auto text = render(source, variables);
  if (!text.ok()) return 0;
  int marks = 0;
  text->runs([&](std::string_view bytes, Origin origin) {
    const bool has = bytes.find(kMark) != std::string_view::npos;
    if (has) ++marks;
    EXPECT_FALSE(has && origin == Origin::kTemplate) << source << "\n" << text->bytes();
  });
  return marks;
}

TEST(JinjaOrigin, NothingThatIsGivenPassesForTheTemplates) {
  Variables snippets = variables(marked(json(file("snippets.json"))));
  int marks = 0;
  for (const Value& row : json_lines("data/snippets.jsonl"))
    marks += check_marks(member(row, "template").bytes(), snippets);
  EXPECT_GT(marks, 60);
  const Value conversations = json(file("conversations.json"));
  for (const char* name : {"plain", "blocks", "python_calls", "json_calls", "newest_thought", "strict", "schema",
                           "wrapped", "merged", "numbered"}) {
    const std::string source = file(std::string("templates/") + name + ".jinja");
    marks = 0;
    for (const Value& row : conversations.items()) {
      marks += check_marks(source, variables_of(marked(row, "row")));
    }
    EXPECT_GT(marks, 30) << name;
  }
}

}  // namespace
}  // namespace lfm::jinja
