#include "base/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace lfm::base {
namespace {

TEST(Split, CoversEverythingOnce) {
  for (std::size_t n = 0; n < 40; ++n) {
    for (std::size_t count = 1; count < 20; ++count) {
      std::size_t next = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const Range part = split(n, i, count);
        EXPECT_EQ(part.begin, next);
        EXPECT_LE(part.end - part.begin, n / count + 1);
        EXPECT_GE(part.end - part.begin, n / count);
        next = part.end;
      }
      EXPECT_EQ(next, n);
    }
  }
}

TEST(Shares, BeginEqualAndCoverEverythingOnce) {
  for (unsigned count = 1; count < 20; ++count) {
    const Shares shares(count);
    for (std::size_t n = 0; n < 100; ++n) {
      std::size_t next = 0;
      for (unsigned i = 0; i < count; ++i) {
        const Range part = shares.part(n, i);
        EXPECT_EQ(part.begin, next);
        EXPECT_LE(part.end - part.begin, n / count + 1);
        next = part.end;
      }
      EXPECT_EQ(next, n);
    }
  }
}

// Whatever is learnt, parts make up the whole, and each member has a share.
TEST(Shares, StayAPartition) {
  std::mt19937 random(5);
  std::exponential_distribution<double> any;
  for (unsigned round = 0; round < 200; ++round) {
    const auto count = 1 + static_cast<unsigned>(random() % 24);
    Shares shares(count);
    for (unsigned call = 0; call < 20; ++call) {
      std::vector<Shares::Done> done(count);
      for (Shares::Done& member : done) {
        if (random() % 3 != 0) member = {random() % 4 == 0 ? 0 : any(random), any(random)};
      }
      shares.learn(done, 1 + static_cast<unsigned>(random() % 1000));
      double all = 0;
      std::size_t next = 0;
      const std::size_t n = random() % (std::size_t{1} << 28);
      for (unsigned i = 0; i < count; ++i) {
        EXPECT_GT(shares.share(i), 0);
        all += shares.share(i);
        const Range part = shares.part(n, i);
        ASSERT_EQ(part.begin, next);
        ASSERT_LE(part.begin, part.end);
        next = part.end;
      }
      EXPECT_EQ(next, n);
      EXPECT_NEAR(all, 1, 1e-9);
    }
  }
}

TEST(Shares, AreMeansOfTheRoundsThatTheyAreToldToBe) {
  const std::vector<Shares::Done> done = {{3, 1}, {1, 1}};
  Shares slow(2, 400), quick(2, 100);
  slow.learn(done, 100);
  quick.learn(done, 100);
  EXPECT_NEAR(slow.share(0), 0.5625, 1e-9);
  EXPECT_NEAR(quick.share(0), 0.75, 1e-9);
}

TEST(Shares, AnOwnerAlwaysGetsOn) {
  const Shares shares(3);
  EXPECT_EQ(shares.taken(0, {4}, 1, 1), 0u);
  EXPECT_EQ(shares.taken(3, {4}, 1, 1), 3u);
  EXPECT_EQ(shares.taken(100, {4}, 1, 1), 50u);
  EXPECT_EQ(shares.taken(100, {4}, 0, 1), 50u);
  EXPECT_EQ(shares.taken(3, {4}, 0, 1), 3u);
  EXPECT_EQ(shares.taken(100, {4, 10}, 1, 1), 10u);
  EXPECT_EQ(shares.taken(100, {4, 10}, 0, 1), 10u);
}

// ---- A team in made-up time: whose members do so many units in a microsecond, and compute alone. What a member begins
// it goes through with.

struct Round {
  std::size_t units;
  RunSize size;
  double time;  // of one core of speed 1, in microseconds
};
using Pass = std::vector<Round>;

// Matrices of one token, as full-size networks have them: units are row tiles of a dense matrix, 4 at least, and steps
// of channels of four experts.
Pass token() {
  constexpr double kTime = 200;  // that memory takes
  Pass pass;
  for (int layer = 0; layer < 24; ++layer) {
    pass.push_back({layer % 4 == 2 ? 192u : 128u, {4}, kTime});
    pass.push_back({128, {4}, kTime});
    if (layer < 2) {
      pass.push_back({448, {4}, kTime});
      pass.push_back({128, {4}, kTime});
    } else {
      pass.push_back({112, {}, kTime});
      pass.push_back({128, {}, kTime});
    }
  }
  pass.push_back({4096, {4}, kTime});
  return pass;
}

// And of 256 tokens, whose time is that of arithmetic: units are two row tiles, and 256 channels of an expert. A unit
// of a convolution's way in is two tiles of three matrices, one of a dense network's of two.
Pass prompt() {
  constexpr double kTile = 100;  // microseconds
  constexpr RunSize kBlock{1, 8};
  Pass pass;
  for (int layer = 0; layer < 24; ++layer) {
    pass.push_back(layer % 4 == 2 ? Round{96, kBlock, kTile * 192} : Round{64, kBlock, kTile * 384});
    pass.push_back({64, kBlock, kTile * 128});
    pass.push_back(layer < 2 ? Round{224, kBlock, kTile * 896} : Round{224, {1, 1}, kTile * 896});
    pass.push_back({64, kBlock, kTile * 448});
  }
  return pass;
}

class MadeUpTeam {
 public:
  // barrier: what meeting takes, in microseconds
  MadeUpTeam(std::vector<double> speeds, double barrier, unsigned recent = Shares::kRecent)
      : speeds_(std::move(speeds)), barrier_(barrier), shares_(static_cast<unsigned>(speeds_.size()), recent) {}

  std::vector<double>& speeds() { return speeds_; }
  const Shares& shares() const { return shares_; }

  // The time of a pass, beside that of a team in which nobody ever waits.
  double efficiency(const Pass& pass) {
    const double speed = std::accumulate(speeds_.begin(), speeds_.end(), 0.0);
    std::vector<Shares::Done> done(speeds_.size());
    double time = 0, ideal = 0;
    for (const Round& round : pass) {
      ideal += round.time / speed;
      time += run(round, done) + barrier_;
    }
    shares_.learn(done, static_cast<unsigned>(pass.size()));
    return ideal / time;
  }

  double after(int passes, const Pass& pass) {
    for (int i = 1; i < passes; ++i) efficiency(pass);
    return efficiency(pass);
  }

 private:
  double run(const Round& round, std::vector<Shares::Done>& done) {
    const double unit = round.time / static_cast<double>(round.units);
    const auto count = static_cast<unsigned>(speeds_.size());
    std::vector<std::size_t> left(count);
    for (unsigned i = 0; i < count; ++i)
      left[i] = shares_.part(round.units, i).end - shares_.part(round.units, i).begin;
    using Event = std::pair<double, unsigned>;  // when which member is free
    std::priority_queue<Event, std::vector<Event>, std::greater<>> free;
    for (unsigned i = 0; i < count; ++i) free.emplace(0.0, i);
    constexpr double kClaim = 0.15;
    double last = 0;
    while (!free.empty()) {
      const auto [now, member] = free.top();
      free.pop();
      std::size_t taken = 0;
      double later = now;
      for (unsigned i = 0; i < count && taken == 0; ++i) {
        const unsigned owner = (member + i) % count;
        taken = shares_.taken(left[owner], round.size, member, owner);
        left[owner] -= taken;
        later += kClaim;
      }
      if (taken == 0) {
        last = std::max(last, now);
        continue;
      }
      later += static_cast<double>(taken) * unit / speeds_[member];
      done[member].parts += static_cast<double>(taken) / static_cast<double>(round.units);
      done[member].time += later - now;
      free.emplace(later, member);
    }
    EXPECT_EQ(std::accumulate(left.begin(), left.end(), std::size_t{0}), 0u);
    return last;
  }

  std::vector<double> speeds_;
  double barrier_;
  Shares shares_;
};

std::vector<double> cores(std::initializer_list<std::pair<int, double>> kinds) {
  std::vector<double> speeds;
  for (const auto& [count, speed] : kinds) speeds.insert(speeds.end(), static_cast<std::size_t>(count), speed);
  return speeds;
}

// Of what the cores can do together a team has at least so much, once it knows them.
TEST(MadeUpTeams, AreHeldUpLittleByWhoIsSlow) {
  const struct {
    const char* name;
    std::vector<double> speeds;
    double barrier;
    double efficiency;
  } kTeams[] = {
      {"2 equal", cores({{2, 1}}), 0.3, 0.98},
      {"8 equal", cores({{8, 1}}), 0.5, 0.95},
      {"2, one at half", cores({{1, 1}, {1, 0.5}}), 0.3, 0.98},
      {"2, one at a quarter", cores({{1, 1}, {1, 0.25}}), 0.3, 0.98},
      {"4P + 8E", cores({{4, 1}, {8, 0.5}}), 0.5, 0.94},
      {"6P + 8E", cores({{6, 1}, {8, 0.5}}), 0.5, 0.88},
      {"8, one at a quarter", cores({{7, 1}, {1, 0.25}}), 0.5, 0.93},
      {"12 + 12, two L3 groups", cores({{12, 1}, {12, 0.95}}), 1.0, 0.70},  // the grain and barriers
  };
  for (const auto& team : kTeams) {
    const double first = MadeUpTeam(team.speeds, team.barrier).efficiency(token());
    const double known = MadeUpTeam(team.speeds, team.barrier).after(100, token());
    EXPECT_GE(known, team.efficiency) << team.name;
    EXPECT_GE(known, first * 0.98) << team.name;
    RecordProperty(team.name, std::to_string(first) + " at first, then " + std::to_string(known));
  }
}

// A prompt's matrices are long, so that already the first pass is shared well, and the second as well as can be.
TEST(MadeUpTeams, ReadPromptsWellFromTheSecondPassOn) {
  const struct {
    const char* name;
    std::vector<double> speeds;
    double first, second;
  } kTeams[] = {
      {"2, one at half", cores({{1, 1}, {1, 0.5}}), 0.93, 0.98},
      {"2, one at a third", cores({{1, 1}, {1, 1.0 / 3}}), 0.98, 0.98},
      {"4P + 8E", cores({{4, 1}, {8, 0.5}}), 0.98, 0.98},
      {"8, one at a quarter", cores({{7, 1}, {1, 0.25}}), 0.69, 0.83},
      {"24 equal", cores({{24, 1}}), 0.9, 0.9},
      {"64 equal", cores({{64, 1}}), 0.91, 0.91},
  };
  for (const auto& team : kTeams) {
    MadeUpTeam made_up(team.speeds, 0.5, static_cast<unsigned>(prompt().size()));
    const double first = made_up.efficiency(prompt()), second = made_up.efficiency(prompt());
    EXPECT_GE(first, team.first) << team.name;
    EXPECT_GE(second, team.second) << team.name;
    RecordProperty(team.name, std::to_string(first) + " at first, then " + std::to_string(second));
  }
}

// A core gets slow, by heat or another program, and fast again.
TEST(MadeUpTeams, FollowWhatChanges) {
  MadeUpTeam team(cores({{4, 1}}), 0.3);
  const double before = team.after(50, token());
  team.speeds()[2] = 0.3;
  EXPECT_GE(team.after(50, token()), before * 0.93);
  EXPECT_NEAR(team.shares().share(2), 0.3 / 3.3, 0.02);
  team.speeds()[2] = 1;
  EXPECT_GE(team.after(50, token()), before * 0.98);
  EXPECT_NEAR(team.shares().share(2), 0.25, 0.02);
}

}  // namespace
}  // namespace lfm::base
