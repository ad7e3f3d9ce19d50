#include "engine/runtime/runtime.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "model/forward.h"

namespace lfm::engine {
namespace {

// Tokens whose logits are computed together: where every token's are wanted a chunk's worth would be 130 MB, and their
// sums wait in the workspace.
constexpr std::size_t kLogitsAtOnce = 32;

// Passes of fewer rows mostly read weights, for which the fastest cores are enough; others compute, where all help.
constexpr std::size_t kManyRows = 32;

// How often one that waits looks whether it is cancelled: a signal handler may do that, and can wake nobody.
constexpr std::chrono::milliseconds kBetweenLooks(5);
// Sampling takes a fraction of it; a callback that takes longer isn't waited for.
constexpr std::chrono::milliseconds kLongestGathering(5);

// Says on which thread a callback runs, as long as it does.
class CallsBack {
 public:
  explicit CallsBack(std::atomic<std::thread::id>& where) noexcept : where_(where) {
    where_.store(std::this_thread::get_id());
  }
  ~CallsBack() { where_.store({}); }
  CallsBack(const CallsBack&) = delete;
  CallsBack& operator=(const CallsBack&) = delete;

 private:
  std::atomic<std::thread::id>& where_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, Threads threads,
                                                 kernels::Isa isa, std::size_t chunk_tokens,
                                                 const model::DraftNetwork* draft) {
  const unsigned members = team.size();
  threads = {std::min(threads.few, members), std::min(threads.many, members)};
  auto work = draft != nullptr ? std::make_unique<DraftWork>(*draft, chunk_tokens, members) : nullptr;
  std::unique_ptr<Runtime> runtime(
      new Runtime(std::move(team), threads, kernels::table(isa), chunk_tokens, std::move(work)));
  ops::Dimensions dimensions = model::workspace_dimensions(config, members, chunk_tokens, config.max_positions());
  if (draft != nullptr) model::add_dimensions(*draft, dimensions);
  LFM_ASSIGN(runtime->workspace_, ops::Workspace::create(dimensions));
  runtime->outputs_.reserve(std::max(chunk_tokens, model::kMaxRuns));
  if (xnn) {
    std::vector<unsigned> teams(members);
    std::iota(teams.begin(), teams.end(), 1u);  // a pass may have any number of them
    for (unsigned i = 0; i < members; ++i) {
      LFM_ASSIGN(ops::XnnWorker worker, ops::XnnWorker::create(*xnn));
      LFM_TRY(model::prepare_weights(weights, config, worker, teams, chunk_tokens));
      runtime->xnn_.push_back(std::move(worker));
    }
  }
  return runtime;
}

// The team for one caller alone, as long as this lives.
class Runtime::Alone {
 public:
  // Not granted where `cancel` became true first.
  explicit Alone(Runtime& runtime, const std::atomic<bool>* cancel = nullptr)
      : runtime_(runtime), lock_(runtime.mutex_) {
    job_.cancel = cancel;
    runtime_.queue_.push_back(&job_);
    granted_ = runtime_.wait(lock_, job_);
    if (granted_) runtime_.busy_ = true;
    lock_.unlock();
  }
  ~Alone() {
    if (!granted_) return;
    lock_.lock();
    runtime_.busy_ = false;
    runtime_.leave(job_);
  }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  bool granted() const noexcept { return granted_; }

 private:
  Runtime& runtime_;
  std::unique_lock<std::mutex> lock_;
  Job job_;
  bool granted_;
};

// Until the job has run, or is first while the team is free. False where it was cancelled meanwhile and left the queue.
bool Runtime::wait(std::unique_lock<std::mutex>& lock, Job& job) {
  while (!job.over()) {
    if (!job.running && job.cancel != nullptr && job.cancel->load(std::memory_order_relaxed)) {
      leave(job);
      return false;
    }
    if (!busy_ && queue_.front() == &job) break;
    if (job.cancel != nullptr) {
      job.changed.wait_for(lock, kBetweenLooks);
    } else {
      job.changed.wait(lock);
    }
  }
  return true;
}

void Runtime::leave(Job& job) noexcept {
  std::erase(queue_, &job);
  if (!busy_ && !queue_.empty()) queue_.front()->changed.notify_one();
}

Runtime::Outcome Runtime::step(const model::Weights& weights, const model::Config& config, model::State& state,
                               std::span<const TokenId> tokens, const Step& step) {
  Job job;
  const std::size_t outputs = step.logits != nullptr || step.each != nullptr ? step.outputs : 0;
  job.run = {&state, tokens, outputs, step.checkpoints, step.stops ? step.cancel : nullptr};
  if (step.each != nullptr) return step_alone(weights, config, job.run, step);
  job.logits = step.logits;
  job.stride = step.stride;
  job.cancel = step.cancel;
  job.generates = step.said || tokens.size() == 1;

  std::unique_lock lock(mutex_);
  queue_.push_back(&job);
  if (job.generates && expected_ > 0 && --expected_ == 0) queue_.front()->changed.notify_one();
  while (!job.over()) {
    if (!wait(lock, job)) return job.done == 0 ? Outcome::kNotBegun : Outcome::kStopped;
    if (!job.over()) lead(lock, job, weights, config);
  }
  if (step.beside != nullptr) *step.beside = job.beside;
  return job.stopped ? Outcome::kStopped : Outcome::kDone;
}

// Waits for those who had a token in the last pass, so that they have the next one too.
void Runtime::gather(std::unique_lock<std::mutex>& lock, Job& first) {
  while (expected_ > 0 && first.changed.wait_until(lock, expected_until_) != std::cv_status::timeout) {
  }
  expected_ = 0;
}

// A pass for all that wait, by the first of them.
void Runtime::lead(std::unique_lock<std::mutex>& lock, Job& first, const model::Weights& weights,
                   const model::Config& config) {
  busy_ = true;
  gather(lock, first);
  std::array<Share, model::kMaxRuns> room;
  const std::span<Share> shares = std::span(room).first(share_out(queue_, chunk_tokens_, room));
  std::array<model::Run, model::kMaxRuns> runs;
  outputs_.clear();
  std::size_t rows = 0;
  bool prompts = false;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    Job& job = *shares[i].job;
    job.running = true;
    rows += shares[i].rows;
    prompts |= !job.goes_first();
    runs[i] = job.next(shares[i].rows);
    for (std::size_t n = 0; n < runs[i].outputs; ++n) outputs_.push_back(job.next_logits() + n * job.stride);
  }
  lock.unlock();
  const auto start = Clock::now();
  const bool done = pass(weights, config, std::span(runs).first(shares.size()), outputs_);
  const auto end = Clock::now();
  lock.lock();

  traffic_.passes += 1;
  traffic_.runs += shares.size();
  if (done && !prompts) costs_.learn(rows, std::chrono::duration<double>(end - start).count());
  for (const Share& share : shares) {
    Job& job = *share.job;
    job.running = false;
    job.stopped = !done;
    job.beside = rows - share.rows;
    if (done) job.done += share.rows;
    if (!job.over()) continue;
    if (done && job.generates) ++expected_;
    std::erase(queue_, &job);
    job.changed.notify_one();
  }
  expected_until_ = end + std::min<Clock::duration>((end - start) / 8, kLongestGathering);
  busy_ = false;
  if (!queue_.empty()) queue_.front()->changed.notify_one();
}

// Calls body(context) on every member of the team, for a pass of so many rows.
template <typename Body>
void Runtime::dispatch(std::size_t rows, Body&& body) {
  profile_.start();
  base::Shares& shares = rows < kManyRows ? few_[size_.now()] : many_;
  team_.run_as_needed(shares, [&](base::Worker& worker) {
    body(ops::Context{kernels_, worker, workspace_, xnn_.empty() ? nullptr : &xnn_[worker.index()], rows,
                      worker.index() == 0 ? &profile_ : nullptr});
  });
}

// Runs through the network, and the logits of their outputs, or none. False where they all wanted it to end, and it
// did; else their states are moved on.
bool Runtime::pass(const model::Weights& weights, const model::Config& config, std::span<const model::Run> runs,
                   std::span<float* const> logits) {
  std::size_t rows = 0;
  for (const model::Run& run : runs) {
    rows += run.tokens.size();
    if (draft_ != nullptr) draft_->shortlist.read(run.tokens);
  }
  model::Stopped stopped;
  const model::Taps taps = draft_ != nullptr ? draft_->taps() : model::Taps();
  std::atomic<bool> done = true;
  const auto start = Clock::now();
  dispatch(rows, [&](const ops::Context& context) {
    if (!model::forward(context, weights, config, runs, stopped, taps)) {
      done.store(false, std::memory_order_relaxed);
      return;
    }
    if (draft_ != nullptr) model::remember(context, draft_->network, draft_->g, runs);
    for (std::size_t first = 0; first < logits.size(); first += kLogitsAtOnce) {
      const std::size_t count = std::min(kLogitsAtOnce, logits.size() - first);
      model::head(context, weights, config, first, logits.subspan(first, count));
    }
  });
  if (!done) return false;
  if (rows == 1) size_.learn(std::chrono::duration<double>(Clock::now() - start).count());
  for (const model::Run& run : runs) run.state->advance(run.tokens.size());
  return true;
}

// With logits of many tokens, which the caller looks at between products with the head.
Runtime::Outcome Runtime::step_alone(const model::Weights& weights, const model::Config& config, model::Run run,
                                     const Step& step) {
  const Alone turn(*this, step.cancel);
  if (!turn.granted()) return Outcome::kNotBegun;
  block_logits_.resize(kLogitsAtOnce * step.stride);
  std::array<float*, kLogitsAtOnce> rows;
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = &block_logits_[i * step.stride];
  if (!pass(weights, config, {&run, 1}, {})) return Outcome::kStopped;
  for (std::size_t first = 0; first < run.outputs; first += kLogitsAtOnce) {
    const std::size_t count = std::min(kLogitsAtOnce, run.outputs - first);
    dispatch(count, [&](const ops::Context& context) {
      model::head(context, weights, config, first, std::span(rows).first(count));
    });
    if (step.logits != nullptr) std::copy_n(rows[count - 1], step.stride, step.logits);
    const CallsBack here(calls_back_);
    step.each(first, count, block_logits_.data());
  }
  return Outcome::kDone;
}

Result<Runtime::Guesses> Runtime::guess(model::State& state, TokenId anchor, std::size_t most,
                                        std::vector<model::Guessed>& out) {
  out.clear();
  if (draft_ == nullptr || !model::may_guess(state)) return Guesses();
  const model::DraftNetwork& network = draft_->network;
  const std::size_t rows = std::min({most, network.config.draft.block, chunk_tokens_});
  if (rows == 0) return Guesses();
  LFM_TRY(state.draft_kv()->own(state.position(), state.position() + rows));
  out.resize(rows);

  const Alone turn(*this);
  std::array<Clock::time_point, 4> times;
  times[0] = Clock::now();
  dispatch(rows, [&](const ops::Context& all) {
    ops::Context context = all;
    context.profile = nullptr;
    context.xnn = nullptr;
    model::think(context, network, state, anchor);
    if (context.worker.index() == 0) times[1] = Clock::now();
    model::find_candidates(context, network, draft_->shortlist, draft_->room);
    context.worker.barrier();
    if (context.worker.index() == 0) times[2] = Clock::now();
    model::read_markov(context, network, draft_->room);
  });
  model::follow_chain(kernels_, network, anchor, workspace_.x, draft_->room, out);
  times[3] = Clock::now();
  const auto between = [&](std::size_t i) { return std::chrono::duration<double>(times[i + 1] - times[i]).count(); };
  const std::lock_guard lock(mutex_);
  draft_times_.blocks += 1;
  draft_times_.layers += between(0);
  draft_times_.head += between(1);
  draft_times_.chain += between(2);
  return Guesses{out, between(0) + between(1) + between(2)};
}

Runtime::DraftTimes Runtime::draft_times() const {
  const std::lock_guard lock(mutex_);
  return draft_times_;
}

ops::Profile Runtime::profile() {
  if (calls_back_here()) return profile_;  // this thread has the team
  const Alone turn(*this);
  return profile_;
}

Runtime::Traffic Runtime::traffic() const {
  const std::lock_guard lock(mutex_);
  return {traffic_.passes, traffic_.runs, queue_.size()};
}

PassCosts Runtime::costs() const {
  const std::lock_guard lock(mutex_);
  return costs_;
}

void Runtime::run(const std::function<void(base::Worker&)>& body) {
  const Alone turn(*this);
  team_.run([&](base::Worker& worker) { body(worker); });
}

}  // namespace lfm::engine
