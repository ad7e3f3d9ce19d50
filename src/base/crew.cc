#include "base/crew.h"

#include <algorithm>

namespace lfm::base {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kMuchWork = milliseconds(20);
constexpr unsigned kMostCalls = 1024;
constexpr auto kMostTime = seconds(8);

// Time that a mean of what is lost is of: longer than a hiccup, a few slices of the system's time.
constexpr duration<double> kRecentTime = milliseconds(100);

// Members' time that has to be lost, so that it isn't for other reasons that they wait; and how much more than one less
// all have to do, since a token is memory's work, of which fewer cores get more each.
constexpr double kMuchLost = 0.15;
constexpr double kMore = 0.05;

}  // namespace

void Crew::send_away() noexcept {
  doubtful_ = true;
  calls_alone_ = patience_alone_;
  patience_alone_ = std::min(2 * patience_alone_, kMostCalls);
}

void Crew::change(unsigned most) noexcept {
  most_ = most;
  since_ = {};
  idle_ = 0;
  lost_ = 0;
}

void Crew::told(unsigned members, const Took& took) noexcept {
  if (members == 1) {
    if (took.cpu > kMuchWork) calls_alone_ = 0, doubtful_ = false;
  } else if (members * took.cpu < kMuchWork && took.time > 8 * members * took.cpu) {
    return send_away();
  } else {
    patience_alone_ = kLeastCalls;
  }

  if (took.time <= Duration::zero() || took.from_disk) return;
  since_ += took.time;
  const double recent = std::min(1.0, took.time / kRecentTime);
  idle_ += (members - duration<double>(took.busy) / took.time - idle_) * recent;
  lost_ += (duration<double>(took.lost) / took.time - lost_) * recent;
  if (members > 1 && lost_ > kMuchLost && idle_ > 1 - kMore) {
    if (most_ == all_) patience_ = since_ < kSettled ? std::min<Duration>(2 * patience_, kMostTime) : kLeastTime;
    change(members - std::clamp(static_cast<unsigned>(lost_ + 0.5), 1u, members - 1));
  } else if (most_ < all_ && since_ >= patience_) {
    change(all_);
  }
}

}  // namespace lfm::base
