#include "base/shares.h"

#include <algorithm>
#include <cmath>

namespace lfm::base {
namespace {

// Of an equal share: a member that is held up for long still gets what shows that it is back.
constexpr double kLeast = 1.0 / 64;

}  // namespace

Shares::Shares(unsigned members, unsigned recent)
    : recent_(recent), share_(members, 1.0 / members), ends_(members + 1) {
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

std::size_t Shares::taken(std::size_t left, RunSize size, unsigned member, unsigned owner) const noexcept {
  const auto allowed = [&](std::size_t wanted) { return std::min(left, std::clamp(wanted, size.least, size.most)); };
  if (member == owner) return allowed(left / 2);
  const auto all = static_cast<double>(left), shortest = static_cast<double>(allowed(0));
  const double mine = share_[member], theirs = share_[owner];
  if (shortest * theirs > all * mine) return 0;
  // So much that both are done at one time, if nobody else helps.
  return allowed(static_cast<std::size_t>(all * (mine / (mine + theirs))));
}

void Shares::learn(std::span<const Done> done, unsigned rounds) noexcept {
  double speeds = 0;
  for (const Done& member : done) speeds += member.time > 0 ? member.parts / member.time : 0;
  if (!(speeds > 0)) return;
  const double rate = std::min(1.0, rounds / recent_);
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
