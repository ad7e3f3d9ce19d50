// How the members of a team share work, where they aren't equally fast: cores of several kinds, or one that something
// else runs on.
//
// Every member has a part of its own, goes through it in runs that get shorter, and then helps the others from the ends
// of theirs. What a member is in the middle of can't be taken away from it, so a slow one holds the others up the less,
// the nearer parts are to what their members can do in one time. That is learnt of what they did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lfm::base {

struct Range {
  std::size_t begin;
  std::size_t end;
};

// Member `index` of `count`'s part of 0..n-1: contiguous, sizes differ by at most one.
constexpr Range split(std::size_t n, std::size_t index, std::size_t count) noexcept {
  return {n * index / count, n * (index + 1) / count};
}

// How much a member takes at once, where so much is left.
struct RunSize {
  std::size_t least = 1;
  std::size_t most = std::numeric_limits<std::size_t>::max();  // at least `least`
};

class Shares {
 public:
  // Equal ones, of at least 1 member.
  //   recent  rounds that a share is a mean of, so that it follows a core that gets hot or busy, and what is but chance
  //           of when members meet is small beside it; rather fewer where they are long
  explicit Shares(unsigned members, unsigned recent = kRecent);
  static constexpr unsigned kRecent = 512;  // of a few tokens' layers

  unsigned members() const noexcept { return static_cast<unsigned>(ends_.size() - 1); }

  // The member's part of 0..n-1, n < 2^32: contiguous, in proportion to its share, rounded to the nearest.
  Range part(std::size_t n, unsigned member) const noexcept { return {at(n, member), at(n, member + 1)}; }

  // What `member` takes of the `left` of `owner`'s part, at most all of it. 0 where its owner has done the least sooner
  // than this member can.
  std::size_t taken(std::size_t left, RunSize size, unsigned member, unsigned owner) const noexcept;

  // What a member did of some work that was divided `rounds` times: its parts of those rounds, summed, and the time
  // that they took it, in any unit that is all members'.
  struct Done {
    double parts = 0;
    double time = 0;
  };
  void learn(std::span<const Done> done, unsigned rounds) noexcept;

  double share(unsigned member) const noexcept { return share_[member]; }

 private:
  static constexpr unsigned kBits = 20;
  std::size_t at(std::size_t n, unsigned member) const noexcept {
    return (n * ends_[member] + (std::size_t{1} << (kBits - 1))) >> kBits;
  }
  void place() noexcept;

  double recent_;
  std::vector<double> share_;        // a part of 1: of all speeds
  std::vector<std::uint32_t> ends_;  // of those before each member together, of 2^kBits; and 2^kBits
};

}  // namespace lfm::base
