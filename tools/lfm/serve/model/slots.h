// The threads on which answers are made, as many side by side as there are slots; others wait in a queue.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "serve/metrics.h"
#include "serve/model/model.h"
#include "serve/model/request.h"

namespace lfm::serve {

struct Job {
  Prepared prepared;
  std::unique_ptr<AnswerWriter> writer;
  Patience patience;
};

struct SlotState {
  bool busy = false;
  std::size_t prompt_tokens = 0;
  std::size_t read_tokens = 0;
  std::size_t generated_tokens = 0;
};

class Slots {
 public:
  Slots(const Model& model, Metrics& metrics, std::size_t slots, std::size_t queue);
  ~Slots();  // cancels what runs
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // Begins the answer, and has it made. False where the queue is full; then the job is as it was.
  bool submit(Job& job);

  std::size_t queued() const;
  std::size_t busy() const;
  std::size_t count() const noexcept { return threads_.size(); }
  std::vector<SlotState> states() const;

  // Seconds after which a place in the queue may be free, as jobs took until now.
  unsigned patience() const;

 private:
  struct Slot {
    std::atomic<bool> busy = false;
    std::atomic<std::size_t> prompt_tokens = 0;
    std::atomic<std::size_t> read_tokens = 0;
    std::atomic<std::size_t> generated_tokens = 0;
  };
  class Watching;

  void work(Slot& slot);
  void run(Job job, Slot& slot);

  const Model& model_;
  Metrics& metrics_;
  const std::size_t most_queued_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> queue_;
  bool ending_ = false;
  std::stop_source end_;
  double seconds_of_job_ = 1;  // a moving mean
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::thread> threads_;
};

}  // namespace lfm::serve
