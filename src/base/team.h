// A team of threads that runs one function on every member at once, with barriers inside it: one dispatch per forward
// pass, many phases.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "lfm/result.h"

namespace lfm::base {

struct Range {
  std::size_t begin;
  std::size_t end;
};

// Member `index` of `count`'s part of 0..n-1: contiguous, sizes differ by at most one.
constexpr Range split(std::size_t n, std::size_t index, std::size_t count) noexcept {
  return {n * index / count, n * (index + 1) / count};
}

// A barrier that spins, since the phases of a token are microseconds long, and yields the CPU when the wait gets longer
// than a phase can be (there are more threads than cores, or the machine runs something else).
class Barrier {
 public:
  // spins: how often a wait looks before it yields.
  Barrier(unsigned members, int spins) noexcept : members_(members), spins_(spins) {}
  void wait() noexcept;

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

  // This member's part of 0..n-1.
  Range part(std::size_t n) const noexcept { return split(n, index_, count_); }

  // Calls run(range) for ranges that make up 0..n-1, n < 2^28. Every member goes through its own part, in runs that get
  // shorter, and then takes from the ends of the others' parts: runs are long, and all members are done at about the
  // same time. A run has at least `least` where so many are left. Otherwise as for_each_task().
  template <typename Run>
  void for_each_run(std::size_t n, std::size_t least, Run&& run) {
    ++run_round_;
    for (unsigned i = 0; i < count_; ++i) {
      const unsigned member = (index_ + i) % count_;
      for (Range range = claim(member, n, least); range.begin < range.end; range = claim(member, n, least)) run(range);
    }
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
  Worker(Shared& shared, unsigned index, unsigned count) noexcept : shared_(shared), index_(index), count_(count) {}
  std::atomic<std::size_t>& open_round() noexcept;
  // The next run of a member's part in this round: from its beginning for the member itself, from its end for others.
  Range claim(unsigned member, std::size_t n, std::size_t least) noexcept;

  Shared& shared_;
  const unsigned index_;
  const unsigned count_;
  unsigned round_ = 0;
  unsigned run_round_ = 0;
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
    run_erased(call<Body>, &body, false);
  }

  // Likewise, but on member 0 alone for some calls after one in which the members mostly waited for each other, since
  // other programs had their cores: worker.count() tells.
  template <typename Body>
  void run_as_needed(Body&& body) {
    run_erased(call<Body>, &body, true);
  }

 private:
  struct State;
  explicit Team(std::unique_ptr<State> state) noexcept;
  template <typename Body>
  static void call(void* body, Worker& worker) {
    (*static_cast<std::remove_reference_t<Body>*>(body))(worker);
  }
  void run_erased(void (*body)(void*, Worker&), void* context, bool as_needed);
  std::unique_ptr<State> state_;
};

}  // namespace lfm::base
