// How many members of a team a call has. Where other programs want the cores too, more threads than cores are left are
// worse than fewer: whoever is in the middle of something when its core is taken from it holds all others up at the
// next barrier, for a slice of the system's time, milliseconds long.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace lfm::base {

// What calls took tells two things. Where cores were taken from members, and all of them computed hardly more than one
// less could have, one less is tried, and its core left to others; which one matters little, since the system moves
// threads to cores that are free. After some time all are tried again. And where members hardly do anything but wait,
// as on a machine that is full, calls of little work are done by one alone.
class Crew {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit Crew(unsigned members) noexcept : all_(members), most_(members) {}

  // Members of the next call, of `wanted`. Where it isn't known whether they would but wait, try_barriers(members) says
  // how long a few barriers take.
  template <typename TryBarriers>
  unsigned members(unsigned wanted, TryBarriers&& try_barriers) {
    const unsigned count = std::min(wanted, most_);
    if (calls_alone_ == 0 && std::exchange(doubtful_, false) && try_barriers(count) > kSlowBarriers) send_away();
    if (calls_alone_ == 0) return count;
    --calls_alone_;
    return 1;
  }

  // What a call of so many members took, or what all of them together did in it.
  struct Took {
    Duration time;
    Duration cpu;            // computed by member 0, waits included
    Duration busy;           // computed, but for long waits
    Duration lost;           // would have been computed if something else hadn't had the core, or pages had been there
    bool from_disk = false;  // pages had to come from a disk: what was lost says nothing of cores
  };
  void told(unsigned members, const Took& took) noexcept;

 private:
  void send_away() noexcept;
  void change(unsigned most) noexcept;

  static constexpr auto kSlowBarriers = std::chrono::milliseconds(1);
  static constexpr Duration kLeastTime = std::chrono::seconds(1);
  // All together for so long: that they were tried was not in vain.
  static constexpr Duration kSettled = std::chrono::seconds(1);
  static constexpr unsigned kLeastCalls = 64;  // by one before more are tried again

  unsigned all_;
  unsigned most_;
  // How many members' time wasn't used, and was lost: means of the recent calls, of whatever size.
  double idle_ = 0;
  double lost_ = 0;
  Duration since_ = kSettled;       // time in calls since there are so many
  Duration patience_ = kLeastTime;  // before all are tried again; more each time that it was vain

  unsigned calls_alone_ = 0;
  unsigned patience_alone_ = kLeastCalls;
  bool doubtful_ = false;
};

}  // namespace lfm::base
