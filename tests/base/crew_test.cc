#include "base/crew.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace lfm::base {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Members whose cores are taken from them for a part of the time, in made-up time: a call of all takes as long as its
// work, and as one of them is held up; of n - 1, n / (n - 1) times its work.
class MadeUpCrew {
 public:
  explicit MadeUpCrew(unsigned members) : members_(members), crew_(members) {}

  double losing = 0;    // of a member's time
  unsigned losers = 0;  // so many of them; fewer members have the cores that nothing else has

  // Calls until so much time has passed. Returns how often they had so many members.
  std::vector<unsigned> run_for(Crew::Duration length) {
    std::vector<unsigned> calls(members_ + 1);
    while (length > Crew::Duration::zero()) {
      const unsigned count = crew_.members(members_, [](unsigned) { return Crew::Duration(microseconds(4)); });
      ++calls[count];
      const unsigned held_up = count > members_ - losers ? count - (members_ - losers) : 0;
      const Crew::Duration work = duration_cast<Crew::Duration>(milliseconds(20)) * members_ / count;
      const Crew::Duration time = held_up > 0 ? duration_cast<Crew::Duration>(work / (1 - losing)) : work;
      crew_.told(count, {time, work, work * count, (time - work) * held_up});
      length -= time;
      done += std::chrono::duration<double>(work).count() * count / members_;
    }
    return calls;
  }

  double done = 0;  // seconds of all members' work

 private:
  unsigned members_;
  Crew crew_;
};

TEST(Crew, AllWhereNothingIsLost) {
  MadeUpCrew team(8);
  const auto calls = team.run_for(seconds(60));
  EXPECT_GT(calls[8], 2900u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(calls[i], 0u) << i;
}

// A program that has half of one core, and of three.
TEST(Crew, LeavesOutWhoHoldsTheOthersUp) {
  for (const unsigned losers : {1u, 3u}) {
    MadeUpCrew team(8);
    team.losing = 0.5;
    team.losers = losers;
    team.run_for(seconds(60));
    const double share = team.done / 60;
    const double lacks = 1 - 0.5 * losers / 8;  // if nobody were held up
    EXPECT_GT(share, losers == 1 ? 0.93 * lacks : 0.74 * lacks);
  }
}

// Less than the others would lose without it.
TEST(Crew, KeepsWhoLosesLittle) {
  MadeUpCrew team(4);
  team.losing = 0.2;
  team.losers = 1;
  const auto calls = team.run_for(seconds(10));
  for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(calls[i], 0u) << i;
}

TEST(Crew, ComesBackWhenTheCoresAre) {
  MadeUpCrew team(8);
  team.losing = 0.7;
  team.losers = 2;
  EXPECT_GT(team.run_for(seconds(30))[6], 1000u);
  team.losers = 0;
  team.run_for(seconds(8));  // the longest that it waits
  EXPECT_GT(team.run_for(seconds(4))[8], 190u);
}

// A slice or two, now and then, is no reason.
TEST(Crew, BearsAHiccup) {
  Crew crew(4);
  const Crew::Duration work = milliseconds(30);
  for (int call = 0; call < 1000; ++call) {
    ASSERT_EQ(crew.members(4, [](unsigned) { return Crew::Duration(0); }), 4u) << call;
    const Crew::Duration lost = call % 20 == 0 ? milliseconds(12) : Crew::Duration(0);
    crew.told(4, {work + lost, work, 4 * work, lost});
  }
}

// Members wait for many reasons: for what one of them does alone, or for memory.
TEST(Crew, WaitsAloneAreNoReason) {
  Crew crew(4);
  for (int call = 0; call < 1000; ++call) {
    ASSERT_EQ(crew.members(4, [](unsigned) { return Crew::Duration(0); }), 4u) << call;
    crew.told(4, {milliseconds(30), milliseconds(30), milliseconds(70), Crew::Duration(0)});
  }
}

// Two threads on one core take turns: each waits for the core in half of its work, and for the other in half of the
// time.
TEST(Crew, OneOfTwoOnOneCore) {
  Crew crew(2);
  for (int call = 0; call < 10; ++call)
    crew.told(2, {milliseconds(40), milliseconds(20), milliseconds(40), milliseconds(20)});
  EXPECT_EQ(crew.members(2, [](unsigned) { return Crew::Duration(0); }), 1u);
}

// Whoever waits for a disk would wait for it by itself too.
TEST(Crew, PagesFromADiskAreNoReason) {
  Crew crew(4);
  for (int call = 0; call < 100; ++call) {
    ASSERT_EQ(crew.members(4, [](unsigned) { return Crew::Duration(0); }), 4u) << call;
    crew.told(4, {milliseconds(60), milliseconds(30), milliseconds(80), milliseconds(160), true});
  }
}

// Small calls between large ones: that they have fewer members is nothing that the large ones lack.
TEST(Crew, SmallCallsBetweenAreNoReason) {
  Crew crew(14);
  const Crew::Duration work = milliseconds(30);
  for (int call = 0; call < 1000; ++call) {
    const unsigned members = call % 4 == 0 ? 14 : 6;
    ASSERT_EQ(crew.members(members, [](unsigned) { return Crew::Duration(0); }), members) << call;
    crew.told(members, {work, work, work * members - work / 5, work / 5});
  }
}

// Whatever calls took, the next has one member at least and no more than it wants; and when the cores are free again,
// all are back within what it may wait.
TEST(Crew, ComesBackFromAnything) {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (unsigned all = 1; all <= 16; ++all) {
    Crew crew(all);
    const auto call = [&](unsigned wanted, Crew::Duration barriers, const auto& took) {
      const unsigned members = crew.members(wanted, [&](unsigned) { return barriers; });
      EXPECT_GE(members, 1u);
      EXPECT_LE(members, wanted);
      crew.told(members, took(members));
      return members;
    };
    const auto anything = [&](unsigned members) {
      const Crew::Duration time = microseconds(below(200'000)), busy = time * members * below(101) / 100;
      return Crew::Took{time, time * below(101) / 100, busy, time * members - busy, below(20) == 0};
    };
    const auto nothing_lost = [](unsigned members) {
      const Crew::Duration work = milliseconds(30);
      return Crew::Took{work, work, work * members, {}};
    };
    for (int i = 0; i < 300; ++i)
      (void)call(1 + static_cast<unsigned>(below(static_cast<int>(all))), milliseconds(below(3)), anything);
    for (int i = 0; i < 300; ++i) (void)call(all, {}, nothing_lost);  // nine seconds
    EXPECT_EQ(call(all, {}, nothing_lost), all);
  }
}

// Those that have been left out aren't waited for.
TEST(Crew, TriesBarriersWithThoseThatAreThere) {
  Crew crew(8);
  crew.told(8, {milliseconds(200), milliseconds(100), milliseconds(800), milliseconds(200)});
  ASSERT_EQ(crew.members(8, [](unsigned) { return Crew::Duration(0); }), 7u);
  crew.told(7, {milliseconds(100), milliseconds(1), milliseconds(1), milliseconds(0)});  // little work, much waiting
  unsigned tried = 0;
  for (int call = 0; call < 200 && tried == 0; ++call) {
    (void)crew.members(8, [&](unsigned members) {
      tried = members;
      return Crew::Duration(0);
    });
  }
  EXPECT_EQ(tried, 7u);
}

// A call that has few members anyway isn't made smaller by what more lost.
TEST(Crew, FewAreAsManyAsTheyAre) {
  Crew crew(8);
  const Crew::Duration time = milliseconds(200);
  ASSERT_EQ(crew.members(8, [](unsigned) { return Crew::Duration(0); }), 8u);
  crew.told(8, {time, time / 2, 4 * time, 2 * time});
  EXPECT_EQ(crew.members(8, [](unsigned) { return Crew::Duration(0); }), 6u);
  EXPECT_EQ(crew.members(4, [](unsigned) { return Crew::Duration(0); }), 4u);
  EXPECT_EQ(crew.members(7, [](unsigned) { return Crew::Duration(0); }), 6u);
}

}  // namespace
}  // namespace lfm::base
