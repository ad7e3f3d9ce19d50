#include "base/work.h"

#include <utility>

#include "base/float_mode.h"

namespace lfm::base {
namespace {

// So that telling costs nothing, and who watches sees it move.
constexpr std::chrono::milliseconds kBetweenTellings(20);

Error given_up() {
  return Error{ErrorCode::kCancelled, "cancelled"};
}

}  // namespace

Status check_wanted(const std::stop_token& cancel) {
  return cancel.stop_requested() ? Status(given_up()) : Status();
}

Work::Work(std::uint64_t all, ProgressCallback told, std::stop_token cancel)
    : all_(all), told_(std::move(told)), cancel_(std::move(cancel)) {}

Status Work::step() {
  if (told_) {
    const auto now = std::chrono::steady_clock::now();
    const std::uint64_t done = done_.load(std::memory_order_relaxed);
    if (now >= next_ || done == all_) {
      next_ = now + kBetweenTellings;
      const CallersFloatMode mode;
      if (!told_(done, all_)) return given_up();
    }
  }
  return check_wanted(cancel_);
}

void Work::fail(Status status) {
  const std::lock_guard lock(mutex_);
  if (!failed_.exchange(true)) failure_ = std::move(status);
}

}  // namespace lfm::base
