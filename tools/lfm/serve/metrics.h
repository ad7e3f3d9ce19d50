// What there is to count, in Prometheus' form.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "serve/model/request.h"

namespace lfm::serve {

// What is so at this moment, and isn't counted here.
struct Gauges {
  std::size_t slots = 0;
  std::size_t busy = 0;
  std::size_t queued = 0;
  std::size_t connections = 0;
  SessionPoolStats pool = {};
};

// From any number of threads.
class Metrics {
 public:
  void add(const Outcome& outcome);
  void count_response(int status);
  std::string text(const Gauges& now) const;

 private:
  struct Sums {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t passes = 0;
    std::uint64_t drafted_tokens = 0;
    std::uint64_t accepted_tokens = 0;
    double prompt_seconds = 0;
    double generate_seconds = 0;
    std::uint64_t answers = 0;
  };
  mutable std::mutex mutex_;
  Sums sums_;
  std::map<int, std::uint64_t> responses_;  // by status
};

}  // namespace lfm::serve
