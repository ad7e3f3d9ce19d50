#include "bench_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "progress_line.h"

namespace lfm::cli {
namespace {

[[gnu::format(printf, 1, 2)]] std::string print_to_text(const char* how, ...) {
  char text[512];
  va_list values;
  va_start(values, how);
  std::vsnprintf(text, sizeof text, how, values);
  va_end(values);
  return text;
}

double fastest(const std::vector<SustainedResult>& results) {
  double most = 0;
  for (const SustainedResult& result : results) most = std::max(most, result.rate);
  return most;
}

// The distance between marks of an axis of this length: 1, 2 or 5 times a power of ten, at most five of them.
double step_of(double length) {
  const double power = std::pow(10, std::floor(std::log10(length / 5)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (length / (factor * power) <= 5) return factor * power;
  }
  return 10 * power;
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

}  // namespace

std::string text_plot(const std::vector<SustainedResult>& results, std::size_t columns, std::size_t rows) {
  const double most = fastest(results);
  if (results.size() < 2 || most <= 0) return {};
  const double end = results.back().seconds;
  // Of each column the mean of its points, and where it has none that of the next one.
  std::vector<double> heights(columns);
  std::size_t next = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    const double until = end * static_cast<double>(i + 1) / static_cast<double>(columns);
    double sum = 0;
    std::size_t count = 0;
    for (; next + 1 < results.size() && results[next].seconds <= until; ++next, ++count) sum += results[next].rate;
    heights[i] = (count > 0 ? sum / static_cast<double>(count) : results[next].rate) / most;
  }
  std::string out;
  for (std::size_t row = rows; row > 0; --row) {
    out += row == rows ? print_to_text("%8.1f |", most) : "         |";
    for (const double height : heights) {
      const auto full = static_cast<std::size_t>(std::lround(height * static_cast<double>(rows)));
      out += full == row ? "●" : full > row ? "·" : " ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  out += "       0 +" + std::string(columns, '-') + "\n";
  const std::string right = duration_text(end);
  const std::string left = "          0 s, tokens/s";
  const std::size_t width = 10 + columns;
  out += left + std::string(width > left.size() + right.size() ? width - left.size() - right.size() : 1, ' ') + right;
  return out + '\n';
}

std::string svg_plot(const std::vector<SustainedResult>& results, const std::string& title) {
  constexpr double kWidth = 720, kHeight = 360, kLeft = 64, kRight = 24, kTop = 48, kBottom = 48;
  const double most = std::max(fastest(results), 1e-3) * 1.1;
  const double end = results.empty() ? 1 : std::max(results.back().seconds, 1e-3);
  const auto x = [&](double seconds) { return kLeft + (kWidth - kLeft - kRight) * seconds / end; };
  const auto y = [&](double rate) { return kHeight - kBottom - (kHeight - kTop - kBottom) * rate / most; };
  std::string out = print_to_text(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"%g\" height=\"%g\" fill=\"white\"/>\n",
      kWidth, kHeight, kWidth, kHeight);
  out += print_to_text("<text x=\"%g\" y=\"28\" font-size=\"15\">", kLeft) + xml_text(title) + "</text>\n";
  for (double rate = 0; rate <= most; rate += step_of(most)) {
    out += print_to_text("<line x1=\"%g\" y1=\"%.1f\" x2=\"%g\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", kLeft, y(rate),
                         kWidth - kRight, y(rate));
    out += print_to_text("<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", kLeft - 8, y(rate) + 4, rate);
  }
  for (double seconds = 0; seconds <= end; seconds += step_of(end)) {
    out += print_to_text("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%g s</text>\n", x(seconds),
                         kHeight - kBottom + 20, seconds);
  }
  out +=
      print_to_text("<text x=\"16\" y=\"%g\" transform=\"rotate(-90 16 %g)\" text-anchor=\"middle\">tokens/s</text>\n",
                    kHeight / 2, kHeight / 2);
  out += "<polyline fill=\"none\" stroke=\"#1f6feb\" stroke-width=\"2\" points=\"";
  for (const SustainedResult& result : results) out += print_to_text("%.1f,%.1f ", x(result.seconds), y(result.rate));
  out += "\"/>\n";
  for (const SustainedResult& result : results) {
    out += print_to_text(
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#1f6feb\"><title>%.0f s: %.2f tokens/s</title></circle>\n",
        x(result.seconds), y(result.rate), result.seconds, result.rate);
  }
  return out + "</svg>\n";
}

}  // namespace lfm::cli
