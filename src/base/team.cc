#include "base/team.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/atomic_wait.h"
#include "base/crew.h"
#include "base/float_mode.h"
#include "base/memory.h"
#include "base/thread_clock.h"
#include "base/unsignalled.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lfm::base {
namespace {

// A member that waits gives its core away this often, about a millisecond altogether: as long as choosing a token
// takes. Then it sleeps; and at once where it didn't get the core back soon, for somebody else runs there.
constexpr int kYields = 1000;
constexpr auto kSoon = std::chrono::microseconds(20);

using Clock = std::chrono::steady_clock;

// How often a wait looks before it gives its core away. With a core for every thread that is some 20 microseconds,
// longer than the imbalance of a phase; with fewer cores, others wait for this one.
int spins_of(unsigned threads) noexcept {
  return threads <= std::thread::hardware_concurrency() ? 2000 : 200;
}

void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // tens of cycles; yield is none on most cores
#endif
}

// Until the value is another one. Whoever changes it notifies, and changes it sequentially consistently: notifying
// looks whether anybody sleeps, and mustn't look before the change is there for who is about to.
//   waited  gets the time that the thread slept or computed here, but for a short wait's, added
template <typename T>
void wait_while(const std::atomic<T>& value, T old, int spins, Spent* waited = nullptr) noexcept {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  const Stopwatch awake;
  Clock::time_point before = Clock::now();
  bool soon = true;
  for (int i = 0; i < kYields && soon && value.load(std::memory_order_acquire) == old; ++i) {
    sched_yield();
    const Clock::time_point now = Clock::now();
    soon = now - before < kSoon;
    before = now;
  }
  const Spent yielded = awake.spent();
  const Stopwatch asleep;
  sleep_while(value, old);
  if (waited == nullptr) return;
  const Spent slept = asleep.spent();
  waited->time += yielded.cpu + slept.time;
  waited->cpu += yielded.cpu + slept.cpu;
}

}  // namespace

struct alignas(64) Part {
  // What is left of a member's part in a round of for_each_run(): the round (8 bits), begin and end (28 bits each).
  // While it is of an earlier round, all of the part is left.
  std::atomic<std::uint64_t> left{0};
};

struct Shared {
  Shared(const Shares& of_members, int spins, std::span<Part> all_parts) noexcept
      : barrier(of_members.members(), spins), parts(all_parts), shares(of_members) {
    for (Part& part : parts) part.left.store(0, std::memory_order_relaxed);
  }
  Barrier barrier;
  std::span<Part> parts;  // of the members
  const Shares& shares;
  // A round counts tasks in slot round % 3. Whoever enters round r clears slot r + 1: its last user was round r - 2,
  // which everyone has left, and its next can't begin before the barrier that ends round r.
  struct alignas(64) Slot {
    std::atomic<std::size_t> next{0};
  };
  std::array<Slot, 3> rounds;
};

void Barrier::wait(Spent& waited) noexcept {
  const unsigned phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1);  // for who sleeps, see wait_while()
    phase_.notify_all();
    return;
  }
  wait_while(phase_, phase, spins_, &waited);
}

void Worker::barrier() noexcept {
  shared_.barrier.wait(waited_);
}

std::atomic<std::size_t>& Worker::open_round() noexcept {
  const unsigned round = round_++;
  shared_.rounds[(round + 1) % 3].next.store(0, std::memory_order_relaxed);
  return shared_.rounds[round % 3].next;
}

Range Worker::claim(unsigned member, std::size_t n, RunSize size) noexcept {
  constexpr unsigned kBits = 28;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  const std::uint64_t round = run_round_ % 256;
  std::atomic<std::uint64_t>& left = shared_.parts[member].left;
  std::uint64_t seen = left.load(std::memory_order_relaxed);
  for (;;) {
    Range range{seen >> kBits & kMask, seen & kMask};
    if (seen >> (2 * kBits) != round) range = shares_.part(n, member);
    const std::size_t taken = shares_.taken(range.end - range.begin, size, index_, member);
    Range run = range;
    if (member == index_) {
      range.begin += taken;
      run.end = range.begin;
    } else {
      range.end -= taken;
      run.begin = range.end;
    }
    const std::uint64_t now = round << (2 * kBits) | std::uint64_t{range.begin} << kBits | range.end;
    if (left.compare_exchange_weak(seen, now, std::memory_order_relaxed)) return run;
  }
}

// Threads that wait for calls, and the call that runs. Member 0 is whoever calls run().
struct Team::State {
  struct alignas(64) Member {
    State* team = nullptr;
    unsigned index = 0;
    pthread_t thread = {};
    std::atomic<std::uint32_t> calls{0};  // that it was asked for
    // What it did in the last of them.
    Shares::Done done;
    unsigned rounds = 0;
    Spent busy;  // but for long waits
  };

  explicit State(unsigned threads)
      : size(threads),
        spins(spins_of(threads)),
        members(threads),
        parts(threads),
        all(threads),
        fewer(1),
        crew(threads) {
    done.reserve(threads);
  }
  ~State() {
    body = nullptr;
    begin(size);
    for (unsigned i = 1; i < size; ++i) ::pthread_join(members[i].thread, nullptr);
  }

  // Starts all of them, or as many as the system allows.
  void start() {
    for (unsigned i = 0; i < size; ++i) {
      members[i].team = this;
      members[i].index = i;
      if (i == 0 || ::pthread_create(&members[i].thread, nullptr, serve, &members[i]) == 0) continue;
      size = i;
      all = Shares(size);
      crew = Crew(size);
    }
  }

  static void* serve(void* argument) {
    Member& self = *static_cast<Member*>(argument);
    State& team = *self.team;
    FloatEnvironment::set_default();  // not that of the thread that happened to start it
    for (std::uint32_t seen = 0;;) {
      wait_while(self.calls, seen, team.spins);
      seen = self.calls.load(std::memory_order_acquire);
      if (team.body == nullptr) return nullptr;
      team.take_part(self);
      if (team.busy.fetch_sub(1) == 1) team.busy.notify_one();
    }
  }

  void begin(unsigned count) noexcept {
    busy.store(count - 1, std::memory_order_relaxed);
    for (unsigned i = 1; i < count; ++i) {
      members[i].calls.fetch_add(1);
      members[i].calls.notify_one();
    }
  }

  // Member 0 waits for the others.
  void await_members() const noexcept {
    for (unsigned left = busy.load(std::memory_order_acquire); left != 0; left = busy.load(std::memory_order_acquire))
      wait_while(busy, left, spins);
  }

  // On as many members as there are shares.
  Spent run(void (*what)(void*, Worker&), void* with, const Shares& shares) {
    const unsigned count = shares.members();
    Shared now(shares, spins, std::span(parts).first(count));
    body = what;
    context = with;
    shared = &now;
    const Stopwatch watch;
    if (count > 1) begin(count);
    take_part(members[0]);
    if (count > 1) await_members();
    return watch.spent();
  }

  // On so many of them as are worth it. What is learnt of fewer than all is kept as long as they are as few.
  void run_as_needed(void (*what)(void*, Worker&), void* with, Shares& shares) {
    const auto shares_of = [&](unsigned count) -> Shares& {
      if (count == shares.members()) return shares;
      if (fewer.members() != count) fewer = Shares(count);
      return fewer;
    };
    const unsigned count = crew.members(shares.members(), [&](unsigned tried) {
      const auto meet = [](void*, Worker& worker) {
        for (int i = 0; i < 4; ++i) worker.barrier();
      };
      return run(meet, nullptr, shares_of(tried)).time;
    });
    Shares& now = shares_of(count);
    const Spent spent = run(what, with, now);
    if (failure != nullptr) return;
    const std::uint64_t now_from_disk = pages_from_disk();  // those since the last call included
    Crew::Took took{spent.time, spent.cpu, {}, {}, std::exchange(from_disk, now_from_disk) != now_from_disk};
    done.clear();
    for (const Member& member : std::span(members).first(count)) {
      done.push_back(member.done);
      took.busy += member.busy.cpu;
      took.lost += member.busy.time - member.busy.cpu;
    }
    crew.told(count, took);
    if (count > 1) now.learn(done, members[0].rounds);
  }

  void take_part(Member& member) noexcept {
    Worker worker(*shared, shared->shares, member.index);
    const Stopwatch watch;
    try {
      body(context, worker);
    } catch (...) {
      const std::lock_guard lock(failing);
      if (failure == nullptr) failure = std::current_exception();
    }
    member.done = worker.done_;
    member.rounds = worker.rounds_done_;
    const Spent spent = watch.spent();
    member.busy = {spent.time - worker.waited_.time, spent.cpu - worker.waited_.cpu};
  }

  unsigned size;
  const int spins;
  std::vector<Member> members;
  std::vector<Part> parts;
  Shares all;                      // equal ones
  Shares fewer;                    // of those of a call that hadn't all it was to have
  std::vector<Shares::Done> done;  // scratch of run_as_needed()
  std::mutex running;
  Crew crew;
  std::uint64_t from_disk = 0;  // pages, until the last call

  void (*body)(void*, Worker&) = nullptr;  // null: the team is dissolved
  void* context = nullptr;
  Shared* shared = nullptr;
  std::mutex failing;
  std::exception_ptr failure;                 // the first that a member threw
  alignas(64) std::atomic<unsigned> busy{0};  // members that aren't done with the present call
};

Team::Team(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Team::Team(Team&&) noexcept = default;
Team& Team::operator=(Team&&) noexcept = default;
Team::~Team() = default;

Result<Team> Team::create(unsigned threads) {
  if (threads == 0) return Error{ErrorCode::kArgument, "must be at least 1", "threads"};
  if (threads > kMaxThreads)
    return Error{ErrorCode::kLimit, "must be at most " + std::to_string(kMaxThreads), "threads"};
  auto state = std::make_unique<State>(threads);
  const Unsignalled meanwhile;
  state->start();
  return Team(std::move(state));
}

unsigned Team::size() const noexcept {
  return state_->size;
}

void Team::run_erased(void (*body)(void*, Worker&), void* context, Shares* shares) {
  State& state = *state_;
  const std::lock_guard lock(state.running);
  if (shares == nullptr) {
    state.run(body, context, state.all);
  } else {
    state.run_as_needed(body, context, *shares);
  }
  if (state.failure != nullptr) std::rethrow_exception(std::exchange(state.failure, nullptr));
}

}  // namespace lfm::base
