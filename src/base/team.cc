#include "base/team.h"

#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <signal.h>

#include <mutex>
#include <new>
#include <string>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lfm::base {
namespace {

// About 20 microseconds of spinning: longer than the imbalance of a phase.
constexpr int kSpins = 2000;

void relax() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

struct Shared {
  explicit Shared(unsigned members) noexcept : barrier(members) {}
  Barrier barrier;
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
  for (int spins = 0; phase_.load(std::memory_order_acquire) == phase; ++spins) {
    if (spins < kSpins) {
      relax();
    } else {
      sched_yield();
    }
  }
}

void Worker::barrier() noexcept {
  shared_.barrier.wait();
}

std::atomic<std::size_t>& Worker::open_round() noexcept {
  const unsigned round = round_++;
  shared_.rounds[(round + 1) % 3].next.store(0, std::memory_order_relaxed);
  return shared_.rounds[round % 3].next;
}

struct Team::State {
  ~State() {
    if (pool != nullptr) pthreadpool_destroy(pool);
  }
  pthreadpool_t pool = nullptr;  // null for a team of one
  unsigned size = 1;
  std::mutex running;
};

Team::Team(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Team::Team(Team&&) noexcept = default;
Team& Team::operator=(Team&&) noexcept = default;
Team::~Team() = default;

Result<Team> Team::create(unsigned threads) {
  if (threads == 0) return Error{ErrorCode::kArgument, "must be at least 1", "threads"};
  if (threads > kMaxThreads)
    return Error{ErrorCode::kLimit, "must be at most " + std::to_string(kMaxThreads), "threads"};
  auto state = std::make_unique<State>();
  state->size = threads;
  if (threads > 1) {
    // Signals are the application's: its threads handle them, not ours.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state->pool = pthreadpool_create(threads);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (state->pool == nullptr || pthreadpool_get_threads_count(state->pool) != threads) {
      return Error{ErrorCode::kNoMemory, "cannot start " + std::to_string(threads) + " threads", "threads"};
    }
  }
  return Team(std::move(state));
}

unsigned Team::size() const noexcept {
  return state_->size;
}

void Team::run_erased(void (*body)(void*, Worker&), void* context) {
  const std::lock_guard lock(state_->running);
  struct Call {
    void (*body)(void*, Worker&);
    void* context;
    Shared shared;
    unsigned size;
  } call{body, context, Shared(state_->size), state_->size};
  // As many tasks as threads, and each waits for all others at the first barrier, so every thread gets exactly one.
  pthreadpool_parallelize_1d(
      state_->pool,
      [](void* argument, std::size_t index) {
        Call& c = *static_cast<Call*>(argument);
        Worker worker(c.shared, static_cast<unsigned>(index), c.size);
        c.body(c.context, worker);
      },
      &call, state_->size, 0);
}

}  // namespace lfm::base
