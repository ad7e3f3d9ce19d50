#include "base/shares.h"

#include <algorithm>
#include <cmath>

namespace lfm::base {
namespace {

// Rounds that a share is a mean of: a few tokens' layers, so that a share follows a core that gets hot or busy, and
// what is but chance of when members meet is small beside it.
constexpr double kRecent = 512;
// Of an equal share: a member that is held up for long still gets what shows that it is back.
constexpr double kLeast = 1.0 / 64;

}  // namespace

Shares::Shares(unsigned members) : share_(members, 1.0 / members), ends_(members + 1) {
  place();
}

void Shares::place() noexcept {
  double before = 0;
  for (unsigned i = 0; i < members(); ++i) {
    ends_[i] = static_cast<std::uint32_t>(std::lround(std::min(before, 1.0) * (1u << kBits)));
    before += share_[i];
  }
  ends_.back() = 1u << kBits;
}

std::size_t Shares::taken(std::size_t left, std::size_t least, unsigned member, unsigned owner) const noexcept {
  const auto most = static_cast<double>(left);
  const double mine = share_[member], theirs = share_[owner];
  if (member == owner) return std::min(left, std::max(least, left / 2));
  const double shortest = static_cast<double>(std::min(least, left));
  if (shortest * theirs > most * mine) return 0;
  // So much that both are done at one time, if nobody else helps.
  return std::min(left, std::max(least, static_cast<std::size_t>(most * (mine / (mine + theirs)))));
}

void Shares::learn(std::span<const Done> done, unsigned rounds) noexcept {
  double speeds = 0;
  for (const Done& member : done) speeds += member.time > 0 ? member.parts / member.time : 0;
  if (!(speeds > 0)) return;
  const double rate = std::min(1.0, rounds / kRecent);
  double sum = 0;
  for (unsigned i = 0; i < members(); ++i) {
    double& share = share_[i];
    if (done[i].time > 0) share += (done[i].parts / done[i].time / speeds - share) * rate;
    share = std::max(share, kLeast / members());
    sum += share;
  }
  for (double& share : share_) share /= sum;
  place();
}

}  // namespace lfm::base
