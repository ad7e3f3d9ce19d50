#include "base/team.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "support/expect.h"

namespace lfm::base {
namespace {

Team team_of(unsigned threads) {
  auto team = Team::create(threads);
  EXPECT_TRUE(team.ok()) << team.error().describe();
  return *std::move(team);
}

TEST(Team, RunsEveryMemberOnceOnAThreadOfItsOwn) {
  for (const unsigned threads : {1u, 2u, 3u, 16u}) {
    Team team = team_of(threads);
    EXPECT_EQ(team.size(), threads);
    for (int round = 0; round < 5; ++round) {
      std::vector<std::thread::id> ids(threads);
      team.run([&](Worker& worker) {
        EXPECT_EQ(worker.count(), threads);
        ids[worker.index()] = std::this_thread::get_id();
        worker.barrier();
      });
      EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), threads);
    }
  }
}

TEST(Team, LimitsItsSize) {
  test::expect_error(Team::create(0), ErrorCode::kArgument, "threads");
  test::expect_error(Team::create(257), ErrorCode::kLimit, "256");
}

// What is written before a barrier is seen behind it: plain memory, so that the thread sanitizer can tell.
void expect_barriers(unsigned threads, unsigned rounds) {
  Team team = team_of(threads);
  std::vector<std::size_t> counts(threads);
  std::vector<unsigned> wrong(threads);
  team.run([&](Worker& worker) {
    const unsigned next = (worker.index() + 1) % threads;
    for (std::size_t round = 1; round <= rounds; ++round) {
      counts[worker.index()] = round;
      worker.barrier();
      wrong[worker.index()] += counts[next] != round;
      worker.barrier();
    }
  });
  for (const unsigned w : wrong) EXPECT_EQ(w, 0u);
}

TEST(Team, Barriers) {
  expect_barriers(1, 1000);
  expect_barriers(2, 2000);
}

TEST(Team, BarriersWithMoreThreadsThanCores) {
  expect_barriers(4 * std::max(1u, std::thread::hardware_concurrency()), 20);
}

// Many rounds, so that members are in all states that they can meet each other in; more than the 256 that a round's
// number has. A member that is held up is helped.
TEST(Team, RunsTakeEachNumberOnce) {
  constexpr std::size_t kRounds = 600;
  for (const unsigned threads : {1u, 2u, 3u, 7u}) {
    Team team = team_of(threads);
    std::vector<std::vector<std::atomic<int>>> times;
    for (std::size_t round = 0; round < kRounds; ++round) times.emplace_back(round * 7 % 97);
    std::atomic<std::size_t> short_runs{0}, long_runs{0};
    team.run([&](Worker& worker) {
      for (std::size_t round = 0; round < kRounds; ++round) {
        const RunSize size{.least = 1 + round % 5, .most = round % 2 == 0 ? 1 + round % 5 + round % 3 : 1000};
        worker.for_each_run(times[round].size(), size, [&](Range run) {
          if (run.end - run.begin < size.least) ++short_runs;  // what is left of a part: one for each member at most
          if (run.end - run.begin > size.most) ++long_runs;
          for (std::size_t i = run.begin; i < run.end; ++i) ++times[round][i];
        });
        worker.barrier();
      }
    });
    for (const auto& round : times) {
      for (const std::atomic<int>& count : round) EXPECT_EQ(count, 1);
    }
    EXPECT_LE(short_runs, kRounds * threads);
    EXPECT_EQ(long_runs, 0u);
  }
}

TEST(Team, RunsOfAMemberThatIsHeldUpAreTaken) {
  constexpr std::size_t kNumbers = 64;
  Team team = team_of(2);
  std::atomic<std::size_t> done{0}, first{0};
  team.run([&](Worker& worker) {
    worker.for_each_run(kNumbers, {}, [&](Range run) {
      if (worker.index() == 1 && first == 0) {  // stays in its first run until all others are done
        first = run.end - run.begin;
        while (done < kNumbers - first) std::this_thread::yield();
      }
      done += run.end - run.begin;
    });
  });
  EXPECT_EQ(done, kNumbers);
  EXPECT_LE(first, kNumbers / 4);
}

TEST(Team, TasksAreDoneOnce) {
  for (const unsigned threads : {1u, 2u, 5u}) {
    Team team = team_of(threads);
    std::vector<std::vector<int>> done;
    for (std::size_t n = 0; n < 14; ++n) done.emplace_back(n * n);
    team.run([&](Worker& worker) {
      for (std::vector<int>& round : done) {
        worker.for_each_task(round.size(), [&](std::size_t i) { ++round[i]; });
        worker.barrier();
      }
    });
    for (const std::vector<int>& round : done) EXPECT_EQ(round, std::vector<int>(round.size(), 1));
  }
}

TEST(Team, CallersQueueUp) {
  Team team = team_of(2);
  int inside = 0;  // plain: only one call runs at a time
  int calls = 0;
  const auto call = [&] {
    for (int i = 0; i < 20; ++i) {
      team.run([&](Worker& worker) {
        if (worker.index() == 0) calls += ++inside == 1;
        worker.barrier();
        if (worker.index() == 0) --inside;
      });
    }
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(calls, 40);
}

TEST(Team, WhatAMemberThrowsComesOut) {
  Team team = team_of(3);
  for (unsigned thrower = 0; thrower < 3; ++thrower) {
    std::atomic<int> members = 0;
    EXPECT_THROW(team.run([&](Worker& worker) {
      ++members;
      if (worker.index() == thrower) throw std::bad_alloc();
    }),
                 std::bad_alloc);
    EXPECT_EQ(members, 3);
  }
  EXPECT_THROW(team.run([](Worker&) { throw std::bad_alloc(); }), std::bad_alloc) << "by all of them";
  team.run([](Worker& worker) { worker.barrier(); });
}

// Others have the cores: here members that never get one, since they sleep through their work. The work is done all the
// same, by one member alone for a while, and all are asked again when there is much of it.
TEST(Team, SmallWorkIsDoneAloneWhereMembersAreHeldUp) {
  Team team = team_of(3);
  Shares shares(3);
  const auto call = [&](std::chrono::milliseconds work, std::chrono::milliseconds held_up) {
    std::atomic<unsigned> members = 0;
    team.run_as_needed(shares, [&](Worker& worker) {
      ++members;
      if (worker.index() == 0) {
        const std::clock_t until = std::clock() + work.count() * CLOCKS_PER_SEC / 1000;
        while (std::clock() < until) {
        }
      } else {
        std::this_thread::sleep_for(held_up);
      }
      worker.barrier();
    });
    return members.load();
  };
  using std::chrono::milliseconds;
  EXPECT_EQ(call(milliseconds(0), milliseconds(50)), 3u);
  EXPECT_EQ(call(milliseconds(0), milliseconds(50)), 1u);
  EXPECT_EQ(call(milliseconds(30), milliseconds(0)), 1u) << "it isn't known before";
  EXPECT_EQ(call(milliseconds(30), milliseconds(0)), 3u) << "there is much to do";
  team.run([&](Worker& worker) { EXPECT_EQ(worker.count(), 3u); });
}

// One is held up in most of its time, here by sleeping in it: the others go on without it, and all are tried again.
TEST(Team, LeavesOutWhoHoldsTheOthersUp) {
  Team team = team_of(3);
  Shares shares(3);
  const auto call = [&](std::chrono::milliseconds held_up) {
    std::atomic<unsigned> members = 0;
    team.run_as_needed(shares, [&](Worker& worker) {
      ++members;
      if (worker.index() == 2) std::this_thread::sleep_for(held_up);
      const std::clock_t until = std::clock() + CLOCKS_PER_SEC / 40;  // of all threads together
      while (std::clock() < until) {
      }
      worker.barrier();
    });
    return members.load();
  };
  using std::chrono::milliseconds;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (call(milliseconds(60)) == 3 && std::chrono::steady_clock::now() < until) {
  }
  EXPECT_LT(call(milliseconds(60)), 3u);
  bool back = false;
  while (!back && std::chrono::steady_clock::now() < until) back = call(milliseconds(0)) == 3;
  EXPECT_TRUE(back);
}

// The first of them, while the others sleep; one size after the other.
TEST(Team, FewerMembersMayTakePart) {
  Team team = team_of(5);
  Shares few(2), more(4), all(5);
  for (int round = 0; round < 300; ++round) {
    Shares& shares = round % 3 == 0 ? few : round % 7 == 0 ? all : more;
    std::vector<unsigned> took_part(5);
    team.run_as_needed(shares, [&](Worker& worker) {
      EXPECT_LE(worker.count(), shares.members());  // less where the machine is busy
      ++took_part[worker.index()];
      worker.barrier();
      for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(took_part[i], i < worker.count() ? 1u : 0u);
    });
  }
}

// A member that is slow by itself gets the less to do, and what is left of it is done by others.
TEST(Team, LearnsWhoIsSlow) {
  Team team = team_of(2);
  Shares shares(2);
  std::size_t together = 0;
  for (int call = 0; call < 100; ++call) {
    team.run_as_needed(shares, [&](Worker& worker) {
      if (worker.count() == 2 && worker.index() == 0) ++together;
      for (int round = 0; round < 10; ++round) {
        worker.for_each_run(64, {}, [&](Range run) {
          const auto length = std::chrono::microseconds(worker.index() == 1 ? 30 : 10) * (run.end - run.begin);
          const auto until = std::chrono::steady_clock::now() + length;
          while (std::chrono::steady_clock::now() < until) {
          }
        });
        worker.barrier();
      }
    });
  }
  if (together < 90) GTEST_SKIP() << "the machine is too busy to tell";
  EXPECT_LT(shares.share(1), 0.4);
  EXPECT_GT(shares.share(1), 0.1);
}

// A member that has slept wakes up.
TEST(Team, SleepsBetweenCalls) {
  Team team = team_of(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    std::atomic<int> members = 0;
    team.run([&](Worker&) { ++members; });
    EXPECT_EQ(members, 2);
  }
}

TEST(Team, MayBeMoved) {
  Team first = team_of(2);
  Team second = std::move(first);
  first = std::move(second);
  std::atomic<int> members = 0;
  first.run([&](Worker&) { ++members; });
  EXPECT_EQ(members, 2);
}

// Signals go to the application's threads, even when they come from outside to the process.
TEST(Team, LeavesSignalsToTheApplication) {
  Team team = team_of(3);
  const std::thread::id caller = std::this_thread::get_id();
  team.run([&](Worker& worker) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGINT), std::this_thread::get_id() == caller ? 0 : 1);
    worker.barrier();
  });
}

}  // namespace
}  // namespace lfm::base
