// Templates that go wrong or mean ill: an error that tells the line, soon, and nothing else.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/jinja/jinja_sample.h"

namespace lfm::jinja {
namespace {

std::string problem(std::string_view source, const Limits& limits = {}) {
  const auto begin = std::chrono::steady_clock::now();
  const auto text = render(source, {{"x", Value::string("abc", Origin::kData)}}, limits);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << source;
  return text.ok() ? "" : std::string(to_string(text.error().code)) + ": " + text.error().message;
}

std::string times(std::string_view what, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += what;
  return out;
}

TEST(JinjaLimits, ErrorsTellTheLine) {
  EXPECT_EQ(problem("a\n{{ y.z }}"), "unsupported: 'y' is undefined in line 2");
  EXPECT_EQ(problem("\n\n{% if x %}\n{{ x | nope }}{% endif %}"),
            "unsupported: there is no filter 'nope' here in line 4");
  EXPECT_EQ(problem("{{ 1 +\n\n }}"), "unsupported: unexpected the end of an expression in line 3");
  EXPECT_EQ(problem("a\n{% include 'x' %}"), "unsupported: there is no statement 'include' here in line 2");
  EXPECT_EQ(problem("{% for a in x %}\n"), "unsupported: there is no {% endfor %} in line 1");
  EXPECT_EQ(problem("{{ 'a\n"), "unsupported: a string without its end in line 1");
  EXPECT_EQ(problem("{# "), "unsupported: a comment without its end in line 1");
  EXPECT_EQ(problem("{% raw %}"), "unsupported: raw text without its end in line 1");
  EXPECT_EQ(problem("\n{{ raise_exception('Roles must alternate') }}"), "argument: Roles must alternate");
  EXPECT_EQ(problem("{{ x.append(1) }}{{ [].append(1) }}"), "unsupported: 'append' is undefined in line 1");
  EXPECT_EQ(problem("{{ [].append(1) }}"),
            "unsupported: append() would change a 'list', which templates may not in line 1");
  EXPECT_EQ(problem("{{ x.__class__.__mro__ }}"), "unsupported: '__class__' is undefined in line 1");
  EXPECT_EQ(problem("{{ x @ y }}"), "unsupported: an unexpected character in line 1");
  EXPECT_EQ(problem("{% break %}"), "unsupported: unexpected 'break' in line 1");
}

TEST(JinjaLimits, Steps) {
  const std::string loops = times("{% for a in range(100000) %}", 8) + "x" + times("{% endfor %}", 8);
  EXPECT_EQ(problem(loops, {.steps = 1'000'000}), "limit: it takes too long in line 1");
  EXPECT_EQ(
      problem("{% macro m(n) %}{% for a in range(99) %}{{ m(n + 1) if n < 9 }}{% endfor %}{% endmacro %}{{ m(0) }}",
              {.steps = 1'000'000}),
      "limit: it takes too long in line 1");
  EXPECT_EQ(problem("{{ range(100001) }}"), "unsupported: a range that is too long in line 1");
  EXPECT_EQ(
      problem("{% for a in range(99999) %}{{ range(99999) | sort | unique | list }}{% endfor %}", {.steps = 2'000'000}),
      "limit: it takes too long in line 1");
}

TEST(JinjaLimits, Memory) {
  const Limits small = {.memory_bytes = 1 << 20};
  const std::string doubled =
      "{% set ns = namespace(a='0123456789') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}";
  EXPECT_EQ(problem(doubled, small), "limit: it takes too much memory in line 1");
  EXPECT_TRUE(problem(doubled).starts_with("limit: ")) << problem(doubled);
  EXPECT_EQ(problem("{{ 'abc' * 99999999 }}", small), "limit: it takes too much memory in line 1");
  EXPECT_EQ(problem("{{ 'abc' * 9223372036854775807 }}"), "unsupported: a text that is too long in line 1");
  EXPECT_EQ(problem("{{ [1] * 9223372036854775807 }}"), "unsupported: a list that is too long in line 1");
  EXPECT_EQ(problem("{% set ns = namespace(a='ab') %}{% for i in range(60) %}{% set ns.a = ns.a.replace('', ns.a) %}"
                    "{% endfor %}",
                    small),
            "limit: it takes too much memory in line 1");
  const std::string lists =
      "{% set ns = namespace(a=[0]) %}{% for i in range(40) %}{% set ns.a = ns.a + ns.a %}{% endfor %}";
  EXPECT_EQ(problem(lists, small), "limit: it takes too much memory in line 1");
  const std::string shared =
      "{% set ns = namespace(a=[0]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}";
  EXPECT_EQ(problem(shared), "");  // few values: what is written of them would be long
  EXPECT_EQ(problem(shared + "{{ ns.a }}", small), "limit: it takes too much memory in line 1");
  EXPECT_EQ(problem(shared + "{{ ns.a | tojson }}", small), "limit: it takes too much memory in line 1");
  EXPECT_EQ(problem(shared + "{{ [ns.a] == [ns.a + []] }}", {.steps = 1'000'000}),
            "limit: it takes too long in line 1");
  EXPECT_EQ(problem(shared + "{{ [ns.a] < [ns.a + []] }}", {.steps = 1'000'000}), "limit: it takes too long in line 1");
}

TEST(JinjaLimits, Output) {
  EXPECT_EQ(problem("{% for i in range(9999) %}0123456789{% endfor %}", {.output_bytes = 50'000}),
            "limit: it writes too much in line 1");
  EXPECT_EQ(problem("{% for i in range(9999) %}0123456789{% endfor %}"), "");
}

TEST(JinjaLimits, Depth) {
  EXPECT_EQ(problem("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ " + times("(", 1000) + "1" + times(")", 1000) + " }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ " + times("[", 100000) + times("]", 100000) + " }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ " + times("not ", 100000) + "x }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ " + times("-", 100000) + "1 }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ x" + times(".a", 100000) + " }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ x" + times(" | trim", 100000) + " }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ x" + times(" if x else x", 100000) + " }}"), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem(times("{% if x %}", 100000)), "limit: nested too deeply in line 1");
  EXPECT_EQ(problem("{{ 1" + times(" + 1", 100000) + " }}"), "");
  EXPECT_EQ(problem("{% if not x %}" + times("{% elif not x %}", 10000) + "{% endif %}"), "");
  EXPECT_EQ(problem("{% set ns = namespace(a=[]) %}{% for i in range(9999) %}{% set ns.a = [ns.a] %}{% endfor %}"),
            "limit: a value is nested too deeply in line 1");
  EXPECT_EQ(problem("{% set ns = namespace() %}{% for i in range(9999) %}{% set ns.a = {'a': ns.a} %}{% endfor %}"),
            "limit: a value is nested too deeply in line 1");
  EXPECT_EQ(problem("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}"), "limit: nested too deeply in line 1");
}

// Values that refer to what holds them go with the run (AddressSanitizer tells).
TEST(JinjaLimits, NothingStaysBehind) {
  EXPECT_EQ(
      problem(
          "{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.list = [ns, [ns]] %}{{ ns.me.me.list | length }}"),
      "");
  EXPECT_EQ(problem("{% macro m() %}{% endmacro %}{% set ns = namespace(m=m) %}{% set ns.l = [m, ns.m] %}"), "");
  EXPECT_EQ(problem("{% set ns = namespace() %}{% for i in [1] %}{% set ns.l = loop %}{% endfor %}{{ ns.l.index }}"),
            "");
  EXPECT_EQ(problem("{% set ns = namespace() %}{{ ns }}"), "unsupported: a 'namespace' can't be written in line 1");
  EXPECT_EQ(problem("{% set ns = namespace() %}{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}{% set ns.m = m %}"
                    "{% endfor %}{{ ns.m() }}"),
            "unsupported: 'm' was defined in a block that is over in line 1");
}

TEST(JinjaLimits, TooLong) {
  EXPECT_EQ(problem(std::string(kMaxTemplateBytes + 1, ' ')), "limit: the template is too long in line 1");
}

TEST(JinjaLimits, NoClock) {
  const auto made = Template::parse("{{ strftime_now('%Y') }}").value();
  EXPECT_EQ(made->render({}, nullptr).error().message, "the system doesn't tell the date in line 1");
}

}  // namespace
}  // namespace lfm::jinja
