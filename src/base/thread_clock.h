// What the calling thread has computed, which other programs on the machine don't lengthen.
#pragma once

#include <chrono>
#include <ctime>

namespace lfm::base {

struct ThreadClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ThreadClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};

// Time, and what the thread that measures it computed meanwhile.
struct Spent {
  std::chrono::nanoseconds time{0};
  std::chrono::nanoseconds cpu{0};
};

class Stopwatch {
 public:
  Spent spent() const noexcept { return {std::chrono::steady_clock::now() - start_, ThreadClock::now() - cpu_}; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  ThreadClock::time_point cpu_ = ThreadClock::now();
};

}  // namespace lfm::base
