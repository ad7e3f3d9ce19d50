// One line on standard error that is written over, and taken away at the end; nothing where that is no terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace lfm::cli {

class ProgressLine {
 public:
  // Nothing is shown of what takes no longer than `patience`.
  explicit ProgressLine(std::chrono::milliseconds patience = {});
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  // `part` of the work is done, 0..1. Once that tells anything, the time left is shown too. A part that is smaller than
  // the one before is of further work.
  void show(double part, std::string_view what);

 private:
  using Clock = std::chrono::steady_clock;
  const bool shown_;
  const Clock::time_point hidden_until_;
  double first_part_ = 0;  // when it was first called: work that an earlier run did
  double last_part_ = 2;
  Clock::time_point start_;
  std::string line_;
};

// A part, 0..1, of so many cells.
std::string bar(double part, std::size_t cells);

// "1 h 05 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace lfm::cli
