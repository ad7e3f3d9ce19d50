// A team of threads that runs one function on every member at once, with barriers inside it: one dispatch per forward
// pass, many phases.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "base/shares.h"
#include "base/thread_clock.h"
#include "base/ticks.h"
#include "lfm/result.h"

namespace lfm::base {

// A barrier that spins, since the phases of a token are microseconds long, and yields the CPU when the wait gets longer
// than a phase can be (there are more threads than cores, or the machine runs something else).
class Barrier {
 public:
  // spins: how often a wait looks before it yields.
  Barrier(unsigned members, int spins) noexcept : members_(members), spins_(spins) {}
  void wait(Spent& waited) noexcept;  // adds the time that it slept or yielded in

 private:
  const unsigned members_;
  const int spins_;
  alignas(64) std::atomic<unsigned> arrived_{0};
  alignas(64) std::atomic<unsigned> phase_{0};
};

struct Shared;  // what the members of a team share

// One member's view of the team inside Team::run.
class Worker {
 public:
  unsigned index() const noexcept { return index_; }
  unsigned count() const noexcept { return count_; }

  void barrier() noexcept;

  // This member's part of 0..n-1, n < 2^32: the same wherever it is asked for in a call.
  Range part(std::size_t n) const noexcept { return shares_.part(n, index_); }

  // Calls run(range) for ranges that make up 0..n-1, n < 2^28. Every member goes through its own part, in runs of
  // `size` that get shorter, and then takes from the ends of the others' parts: runs are as long as they may be, and
  // all members are done at about the same time. Otherwise as for_each_task().
  template <typename Run>
  void for_each_run(std::size_t n, RunSize size, Run&& run) {
    ++run_round_;
    const std::uint64_t begin = ticks();
    std::size_t done = 0;
    for (unsigned i = 0; i < count_; ++i) {
      const unsigned member = (index_ + i) % count_;
      for (Range range = claim(member, n, size); range.begin < range.end; range = claim(member, n, size)) {
        run(range);
        done += range.end - range.begin;
      }
    }
    if (n == 0) return;
    done_.parts += static_cast<double>(done) / static_cast<double>(n);
    done_.time += static_cast<double>(ticks() - begin);
    ++rounds_done_;
  }

  // Calls task(i) for i in 0..n-1, each once, by whichever member is free. All members must call it alike, with a
  // barrier() between two calls.
  template <typename Task>
  void for_each_task(std::size_t n, Task&& task) {
    std::atomic<std::size_t>& next = open_round();
    for (std::size_t i = next.fetch_add(1, std::memory_order_relaxed); i < n;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      task(i);
    }
  }

 private:
  friend class Team;
  Worker(Shared& shared, const Shares& shares, unsigned index) noexcept
      : shared_(shared), shares_(shares), index_(index), count_(shares.members()) {}
  std::atomic<std::size_t>& open_round() noexcept;
  // The next run of a member's part in this round: from its beginning for the member itself, from its end for others.
  Range claim(unsigned member, std::size_t n, RunSize size) noexcept;

  Shared& shared_;
  const Shares& shares_;
  const unsigned index_;
  const unsigned count_;
  unsigned round_ = 0;
  unsigned run_round_ = 0;
  Shares::Done done_;  // in all rounds of for_each_run()
  unsigned rounds_done_ = 0;
  Spent waited_;  // at barriers
};

class Team {
 public:
  // threads >= 1, the caller's own among them; fewer where the system doesn't start so many. kLimit above kMaxThreads.
  static constexpr unsigned kMaxThreads = 256;
  static Result<Team> create(unsigned threads);

  Team(Team&&) noexcept;
  Team& operator=(Team&&) noexcept;
  ~Team();

  unsigned size() const noexcept;  // at least 1

  // Calls body(worker) on every member and returns when all are done. Calls from several threads queue up. What a
  // member throws comes out here, the first of several; a body that meets at barriers must not throw.
  template <typename Body>
  void run(Body&& body) {
    run_erased(call<Body>, &body, nullptr);
  }

  // Likewise on the first shares.members() of them, at most size(), whose shares are learnt of what they do; on fewer
  // for some time after other programs had their cores (crew.h): worker.count() tells. The others sleep on.
  template <typename Body>
  void run_as_needed(Shares& shares, Body&& body) {
    run_erased(call<Body>, &body, &shares);
  }

 private:
  struct State;
  explicit Team(std::unique_ptr<State> state) noexcept;
  template <typename Body>
  static void call(void* body, Worker& worker) {
    (*static_cast<std::remove_reference_t<Body>*>(body))(worker);
  }
  void run_erased(void (*body)(void*, Worker&), void* context, Shares* shares);
  std::unique_ptr<State> state_;
};

}  // namespace lfm::base
