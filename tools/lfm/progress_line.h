// One line on standard error that is written over; nothing where that is no terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace lfm::cli {

class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  // `part` of the work is done, 0..1. Once that tells anything, the time left is shown too.
  void show(double part, std::string_view what);

 private:
  using Clock = std::chrono::steady_clock;
  const bool shown_;
  bool started_ = false;
  double first_part_ = 0;  // when it was first called: work that an earlier run did
  Clock::time_point start_;
  std::string line_;
};

// "1 h 05 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace lfm::cli
