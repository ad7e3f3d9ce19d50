#include "progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lfm::cli {
namespace {

constexpr std::size_t kBarCells = 20;

}  // namespace

ProgressLine::ProgressLine(std::chrono::milliseconds patience)
    : shown_(isatty(STDERR_FILENO) != 0), hidden_until_(Clock::now() + patience) {}

ProgressLine::~ProgressLine() {
  if (!line_.empty()) std::fprintf(stderr, "\r\033[K");
}

void ProgressLine::show(double part, std::string_view what) {
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (part < last_part_) {
    first_part_ = part;
    start_ = now;
  }
  last_part_ = part;
  if (now < hidden_until_) return;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double done = part - first_part_;
  std::string line =
      bar(part, kBarCells) + " " + std::to_string(static_cast<int>(part * 100)) + " %, " + std::string(what);
  if (done > 0 && seconds > 2) line += ", " + duration_text(seconds / done * (1 - part)) + " left";
  if (line == line_) return;
  line_ = std::move(line);
  std::fprintf(stderr, "\r\033[K%s", line_.c_str());
  std::fflush(stderr);
}

std::string bar(double part, std::size_t cells) {
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(cells));
  std::string out;
  for (std::size_t i = 0; i < cells; ++i) out += i < full ? "█" : "░";
  return out;
}

std::string duration_text(double seconds) {
  const auto all = static_cast<long>(seconds + 0.5);
  char text[32];
  if (all >= 3600) {
    std::snprintf(text, sizeof text, "%ld h %02ld min", all / 3600, all / 60 % 60);
  } else if (all >= 60) {
    std::snprintf(text, sizeof text, "%ld min %02ld s", all / 60, all % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld s", all);
  }
  return text;
}

}  // namespace lfm::cli
