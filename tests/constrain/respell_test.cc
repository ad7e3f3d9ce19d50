#include "constrain/respell.h"

#include <gtest/gtest.h>

namespace lfm::constrain {
namespace {

TEST(Respell, SpellsAsConstraintsDo) {
  EXPECT_EQ(respell("{ \"a\":1.0,\n\"b\" :[ true,null ] }").text, "{\"a\": 1, \"b\": [true, null]}");
  EXPECT_EQ(respell("\"\\u0041\\/\\u000a\\u0001\\ud83d\\ude00\"").text, "\"A/\\n\\u0001\U0001F600\"");
  EXPECT_EQ(respell("[1e2, -0, 0.50, 1E400]").text, "[100, 0, 0.50, 1E400]");
  EXPECT_EQ(respell("[1.0]", false).text, "[1.0]");
  EXPECT_EQ(respell("[01, 1.]").text, "[01, 1.]");
}

TEST(Respell, KnowsWhereThingsComeFrom) {
  const Respelt respelt = respell("[ \"\\u0041\" ,2]");
  EXPECT_EQ(respelt.text, "[\"A\", 2]");
  EXPECT_EQ(respelt.from, (std::vector<std::uint32_t>{0, 2, 3, 9, 11, 11, 12, 13, 14}));
  EXPECT_TRUE(respelt.whole);
  EXPECT_FALSE(respell("\"abc").whole);
  EXPECT_FALSE(respell("\"\\ud800\"").whole);
  EXPECT_FALSE(respell("\"\\x\"").whole);
}

}  // namespace
}  // namespace lfm::constrain
