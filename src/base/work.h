// Work that takes its time: who waits for it is told how far it is, and may give it up.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include "base/team.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm::base {

// kCancelled where it is requested.
Status check_wanted(const std::stop_token& cancel);

class Work {
 public:
  // Of `all` units. `told` may be empty, and is called on the thread that the work was made on, in the mode of floating
  // point that the application has; what it throws ends the work and comes out where it runs.
  Work(std::uint64_t all, ProgressCallback told, std::stop_token cancel);
  Work() : Work(0, nullptr, {}) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  // From any thread: so much more is done.
  void add(std::uint64_t units) noexcept { done_.fetch_add(units, std::memory_order_relaxed); }

  // Tells how far it is, where that is due. kCancelled where it isn't wanted any more.
  Status step();

  // Calls task(worker, i), a Status, for i in 0..count-1, each once, on all members of the team, and step() between
  // those of member 0. The first error ends it.
  template <typename Task>
  Status run(Team& team, std::size_t count, Task&& task) {
    team.run([&](Worker& worker) {
      worker.for_each_task(count, [&](std::size_t i) {
        if (ended()) return;
        try {
          if (Status status = task(worker, i); !status.ok()) return fail(std::move(status));
          if (worker.index() != 0) return;
          if (Status status = step(); !status.ok()) fail(std::move(status));
        } catch (...) {
          failed_ = true;
          throw;
        }
      });
    });
    if (failure_.ok()) return step();
    return failure_;
  }

 private:
  bool ended() const noexcept { return failed_.load(std::memory_order_relaxed) || cancel_.stop_requested(); }
  void fail(Status status);

  const std::uint64_t all_;
  const ProgressCallback told_;
  const std::stop_token cancel_;
  std::chrono::steady_clock::time_point next_;  // time to tell
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // of failure_
  Status failure_;
};

}  // namespace lfm::base
