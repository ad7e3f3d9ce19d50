// Pictures of what lfm bench measured over time.
#pragma once

#include <string>
#include <vector>

#include "bench_report.h"

namespace lfm::cli {

// Speed over time in so many columns and rows of characters, from 0 tokens/s to the fastest. Empty: fewer than two
// points.
std::string text_plot(const std::vector<SustainedResult>& results, std::size_t columns = 64, std::size_t rows = 10);

// The same as a picture in SVG, with this title.
std::string svg_plot(const std::vector<SustainedResult>& results, const std::string& title);

}  // namespace lfm::cli
