#include "base/team.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lfm::base {
namespace {

// A member that waits for the next call gives its core away this often, about a millisecond altogether: as long as
// choosing a token takes. Then it sleeps.
constexpr int kYields = 1000;

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

template <typename Condition>
void wait_while(int spins, Condition&& condition) noexcept {
  while (condition()) {
    if (spins > 0) {
      --spins;
      pause();
    } else {
      sched_yield();
    }
  }
}

}  // namespace

// What is left of a member's part in a round of for_each_run(): the round (8 bits), begin and end (28 bits each). While
// it is of an earlier round, all of the part is left.
struct alignas(64) Part {
  std::atomic<std::uint64_t> left{0};
};

struct Shared {
  Shared(unsigned members, int spins, std::span<Part> all_parts) noexcept : barrier(members, spins), parts(all_parts) {
    for (Part& part : parts) part.left.store(0, std::memory_order_relaxed);
  }
  Barrier barrier;
  std::span<Part> parts;  // of the members
  // A round counts tasks in slot round % 3. Whoever enters round r clears slot r + 1: its last user was round r - 2,
  // which everyone has left, and its next can't begin before the barrier that ends round r.
  struct alignas(64) Slot {
    std::atomic<std::size_t> next{0};
  };
  std::array<Slot, 3> rounds;
};

void Barrier::wait() noexcept {
  const unsigned phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    return;
  }
  wait_while(spins_, [&] { return phase_.load(std::memory_order_acquire) == phase; });
}

void Worker::barrier() noexcept {
  shared_.barrier.wait();
}

std::atomic<std::size_t>& Worker::open_round() noexcept {
  const unsigned round = round_++;
  shared_.rounds[(round + 1) % 3].next.store(0, std::memory_order_relaxed);
  return shared_.rounds[round % 3].next;
}

Range Worker::claim(unsigned member, std::size_t n, std::size_t least) noexcept {
  constexpr unsigned kBits = 28;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  const std::uint64_t round = run_round_ % 256;
  std::atomic<std::uint64_t>& left = shared_.parts[member].left;
  std::uint64_t seen = left.load(std::memory_order_relaxed);
  for (;;) {
    Range range{seen >> kBits & kMask, seen & kMask};
    if (seen >> (2 * kBits) != round) range = split(n, member, count_);
    const std::size_t size = range.end - range.begin;
    const std::size_t taken = std::min(size, std::max(least, size / 2));
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
  struct Member {
    State* team;
    unsigned index;
    pthread_t thread;
  };

  explicit State(unsigned threads) : size(threads), spins(spins_of(threads)), parts(threads) {
    members.reserve(threads - 1);
  }
  ~State() {
    body = nullptr;
    begin();
    for (const Member& member : members) ::pthread_join(member.thread, nullptr);
  }

  // Starts all of them, or as many as the system allows.
  void start() noexcept {
    for (unsigned i = 1; i < size; ++i) {
      members.push_back({this, i, {}});
      if (::pthread_create(&members.back().thread, nullptr, serve, &members.back()) == 0) continue;
      members.pop_back();
      size = i;
    }
  }

  static void* serve(void* argument) {
    const Member& self = *static_cast<Member*>(argument);
    ::fesetenv(FE_DFL_ENV);  // not that of the thread that happened to start it
    for (std::uint32_t seen = 0;;) {
      seen = self.team->next_call(seen);
      if (self.team->body == nullptr) return nullptr;
      self.team->take_part(self.index);
      self.team->busy.fetch_sub(1, std::memory_order_release);
    }
  }

  void begin() noexcept {
    busy.store(static_cast<unsigned>(members.size()), std::memory_order_relaxed);
    calls.fetch_add(1, std::memory_order_release);
    calls.notify_all();
  }

  std::uint32_t next_call(std::uint32_t seen) const noexcept {
    for (int waits = 0; waits < spins + kYields; ++waits) {
      if (const std::uint32_t now = calls.load(std::memory_order_acquire); now != seen) return now;
      waits < spins ? pause() : static_cast<void>(sched_yield());
    }
    calls.wait(seen, std::memory_order_acquire);
    return calls.load(std::memory_order_acquire);
  }

  void take_part(unsigned index) noexcept {
    Worker worker(*shared, index, size);
    try {
      body(context, worker);
    } catch (...) {
      const std::lock_guard lock(failing);
      if (failure == nullptr) failure = std::current_exception();
    }
  }

  unsigned size;
  const int spins;
  std::vector<Member> members;
  std::vector<Part> parts;
  std::mutex running;

  void (*body)(void*, Worker&) = nullptr;  // null: the team is dissolved
  void* context = nullptr;
  Shared* shared = nullptr;
  std::mutex failing;
  std::exception_ptr failure;  // the first that a member threw
  alignas(64) std::atomic<std::uint32_t> calls{0};
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
  // Signals are the application's: its threads handle them, not ours.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state->start();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return Team(std::move(state));
}

unsigned Team::size() const noexcept {
  return state_->size;
}

void Team::run_erased(void (*body)(void*, Worker&), void* context) {
  State& state = *state_;
  const std::lock_guard lock(state.running);
  Shared shared(state.size, state.spins, state.parts);
  state.body = body;
  state.context = context;
  state.shared = &shared;
  state.begin();
  state.take_part(0);
  wait_while(state.spins, [&] { return state.busy.load(std::memory_order_acquire) != 0; });
  if (state.failure != nullptr) std::rethrow_exception(std::exchange(state.failure, nullptr));
}

}  // namespace lfm::base
