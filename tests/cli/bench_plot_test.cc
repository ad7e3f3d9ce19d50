// Plots of speed over time.
#include "bench_plot.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lfm::cli {
namespace {

std::vector<SustainedResult> falling() {
  return {{"", 10, 60, 100}, {"", 20, 60, 100}, {"", 30, 30, 50}, {"", 40, 15, 25}};
}

TEST(BenchPlot, AsText) {
  EXPECT_EQ(text_plot(falling(), 8, 4),
            "    60.0 |●●●●\n"
            "         |····\n"
            "         |····●●\n"
            "         |······●●\n"
            "       0 +--------\n"
            "          0 s, tokens/s 40 s\n");
  EXPECT_EQ(text_plot({}), "");
  EXPECT_EQ(text_plot({{"", 10, 60, 100}}), "");
  EXPECT_EQ(text_plot({{"", 10, 0, 0}, {"", 20, 0, 0}}), "");
}

TEST(BenchPlot, AsAPicture) {
  const std::string svg = svg_plot(falling(), "a < b & c");
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("a &lt; b &amp; c"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  std::size_t circles = 0;
  for (std::size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at) ++circles;
  EXPECT_EQ(circles, 4u);
  // From left to right, and down.
  EXPECT_NE(svg.find("points=\"222.0,"), std::string::npos) << svg;
  EXPECT_EQ(svg_plot({}, "").find("nan"), std::string::npos);
}

}  // namespace
}  // namespace lfm::cli
