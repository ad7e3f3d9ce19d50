#include "serve/model/slots.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>

namespace lfm::serve {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// What the slot's work looks like from outside, on its way to the writer.
class Slots::Watching final : public AnswerWriter {
 public:
  Watching(AnswerWriter& writer, Slot& slot) : writer_(writer), slot_(slot) {}

  bool progress(std::size_t tokens, std::size_t of) override {
    slot_.read_tokens = tokens;
    return writer_.progress(tokens, of);
  }
  bool piece(std::size_t choice, const Piece& piece) override {
    slot_.generated_tokens += piece.tokens.size();
    return writer_.piece(choice, piece);
  }
  void finish(const Outcome& outcome) override { writer_.finish(outcome); }
  void fail(const ApiError& error) override { writer_.fail(error); }

 private:
  AnswerWriter& writer_;
  Slot& slot_;
};

Slots::Slots(const Model& model, Metrics& metrics, std::size_t slots, std::size_t queue)
    : model_(model), metrics_(metrics), most_queued_(queue) {
  for (std::size_t i = 0; i < slots; ++i) {
    Slot& slot = *slots_.emplace_back(std::make_unique<Slot>());
    threads_.emplace_back([this, &slot] { work(slot); });
  }
}

Slots::~Slots() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  end_.request_stop();
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Slots::submit(Job& job) {
  std::deque<Job> dropped;  // goes without the lock: letting go of a writer answers its request
  const std::lock_guard lock(mutex_);
  const std::size_t idle = slots_.size() - std::min(busy(), slots_.size());
  if (queue_.size() >= most_queued_ + idle) {
    const auto lost = std::stable_partition(queue_.begin(), queue_.end(),
                                            [](const Job& waiting) { return !waiting.patience.lost(); });
    std::move(lost, queue_.end(), std::back_inserter(dropped));
    queue_.erase(lost, queue_.end());
    if (queue_.size() >= most_queued_ + idle) return false;
  }
  job.writer->begin();
  queue_.push_back(std::move(job));
  ready_.notify_one();
  return true;
}

void Slots::work(Slot& slot) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      slot.busy = true;
    }
    if (!job.patience.lost()) run(std::move(job), slot);
    slot.busy = false;
  }
}

void Slots::run(Job job, Slot& slot) {
  const auto begin = Clock::now();
  slot.prompt_tokens = job.prepared.prompt.size();
  slot.read_tokens = 0;
  slot.generated_tokens = 0;
  // Either the client goes, or the server ends.
  std::stop_source cancel;
  const auto stop = [&cancel] { cancel.request_stop(); };
  const std::stop_callback on_gone(job.patience.gone, stop);
  const std::stop_callback on_end(end_.get_token(), stop);
  try {
    Watching writer(*job.writer, slot);
    const auto outcome = model_.answer(job.prepared, writer, {cancel.get_token(), job.patience.deadline});
    if (!outcome.ok()) {
      job.writer->fail(model_.refusal(outcome.error()));
    } else {
      metrics_.add(*outcome);
      job.writer->finish(*outcome);
    }
  } catch (const std::exception& error) {
    job.writer->fail(ApiError{500, error.what()});
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::lock_guard lock(mutex_);
  seconds_of_job_ += 0.2 * (seconds - seconds_of_job_);
}

std::size_t Slots::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t Slots::busy() const {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->busy.load(); }));
}

std::vector<SlotState> Slots::states() const {
  std::vector<SlotState> out;
  for (const auto& slot : slots_)
    out.push_back({slot->busy, slot->prompt_tokens, slot->read_tokens, slot->generated_tokens});
  return out;
}

unsigned Slots::patience() const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::clamp(std::ceil(seconds_of_job_ / static_cast<double>(slots_.size())), 1.0, 60.0));
}

}  // namespace lfm::serve
