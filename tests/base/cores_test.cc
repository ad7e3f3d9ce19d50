#include "base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace lfm::base {
namespace {

namespace fs = std::filesystem;

// Made-up folders /proc and /sys.
class Cores : public testing::Test {
 protected:
  void say(const std::string& path, const std::string& text) const {
    const fs::path file = fs::path(root_.path(path));
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  void say_cpu(unsigned cpu, const std::string& siblings, const std::string& frequency) const {
    const std::string folder = "sys/devices/system/cpu/cpu" + std::to_string(cpu);
    if (!siblings.empty()) say(folder + "/topology/thread_siblings_list", siblings);
    if (!frequency.empty()) say(folder + "/cpufreq/cpuinfo_max_freq", frequency);
  }
  unsigned threads(const std::vector<unsigned>& cpus) const { return usable_cores(cpus, root_.path("")).fast; }
  unsigned all(const std::vector<unsigned>& cpus) const { return usable_cores(cpus, root_.path("")).all; }

  const test::TempFolder root_;
};

TEST_F(Cores, AreAllCpusWhereNothingIsKnown) {
  EXPECT_EQ(threads({0, 1, 2, 3}), 4u);
  EXPECT_EQ(threads({7}), 1u);
  EXPECT_EQ(threads({}), 1u);
}

TEST_F(Cores, HaveOneThreadEach) {
  for (unsigned cpu = 0; cpu < 4; ++cpu) say_cpu(cpu, std::to_string(cpu % 2) + "," + std::to_string(cpu % 2 + 2), "");
  EXPECT_EQ(threads({0, 1, 2, 3}), 2u);
  EXPECT_EQ(threads({1, 3}), 1u);
  EXPECT_EQ(threads({2, 3}), 2u);
  for (unsigned cpu = 4; cpu < 8; ++cpu) say_cpu(cpu, cpu < 6 ? "4-5" : "6-7", "");
  EXPECT_EQ(threads({4, 5, 6, 7}), 2u);
}

// A phone's: one large core, some middle ones, and little ones with nearly their frequency.
TEST_F(Cores, OfArmAreThoseThatDoMostOfTheWork) {
  for (unsigned cpu = 0; cpu < 8; ++cpu) {
    say_cpu(cpu, std::to_string(cpu), cpu < 4 ? "2000000" : "2200000");
    say("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpu_capacity", cpu < 4   ? "325"
                                                                              : cpu < 7 ? "780"
                                                                                        : "1024");
  }
  EXPECT_EQ(threads({0, 1, 2, 3, 4, 5, 6, 7}), 4u);
  EXPECT_EQ(threads({0, 1, 2, 3, 4}), 1u);
  EXPECT_EQ(threads({0, 1}), 2u);  // bound to the little ones
  EXPECT_EQ(all({0, 1, 2, 3, 4, 5, 6, 7}), 8u);
}

TEST_F(Cores, OfAHybridCpuAreThoseForPerformance) {
  say("sys/devices/cpu_core/cpus", "0-3");
  say("sys/devices/cpu_atom/cpus", "4-7");
  for (unsigned cpu = 0; cpu < 4; ++cpu) say_cpu(cpu, cpu < 2 ? "0-1" : "2-3", "5000000");
  for (unsigned cpu = 4; cpu < 8; ++cpu) say_cpu(cpu, std::to_string(cpu), "4200000");
  EXPECT_EQ(threads({0, 1, 2, 3, 4, 5, 6, 7}), 2u);
  EXPECT_EQ(threads({2, 6}), 1u);
  EXPECT_EQ(threads({4, 5, 6}), 3u);  // bound to the others
  EXPECT_EQ(all({0, 1, 2, 3, 4, 5, 6, 7}), 6u);
  EXPECT_EQ(all({2, 6}), 2u);
}

TEST_F(Cores, OfDifferentFrequenciesAreTheFastest) {
  for (unsigned cpu = 0; cpu < 4; ++cpu) say_cpu(cpu, std::to_string(cpu), cpu == 0 ? "5100000" : "5000000");
  for (unsigned cpu = 4; cpu < 12; ++cpu) say_cpu(cpu, std::to_string(cpu), "3300000");
  std::vector<unsigned> cpus(12);
  std::iota(cpus.begin(), cpus.end(), 0u);
  EXPECT_EQ(threads(cpus), 4u);
  EXPECT_EQ(all(cpus), 12u);
}

TEST_F(Cores, AreAsManyAsTheQuotaPaysFor) {
  say("proc/self/cgroup", "0::/a/b");
  for (const auto& [quota, expected] :
       {std::pair{"max 100000", 4u}, {"300000 100000", 3u}, {"250000 100000", 2u}, {"50000 100000", 1u}}) {
    say("sys/fs/cgroup/a/b/cpu.max", quota);
    EXPECT_EQ(threads({0, 1, 2, 3}), expected) << quota;
    EXPECT_EQ(all({0, 1, 2, 3}), expected) << quota;
  }
}

TEST_F(Cores, AreNotMadeOfNonsense) {
  say("sys/devices/cpu_core/cpus", "-,x");
  say_cpu(0, "99999999999999999999-", "fast");
  say_cpu(1, "", "-3");
  say("sys/fs/cgroup/cpu.max", "0 0");
  EXPECT_GE(threads({0, 1}), 1u);
  EXPECT_LE(threads({0, 1}), 2u);
}

TEST(UsableCores, KeepToTheAffinityMask) {
#if defined(LFM_POSIX)
  GTEST_SKIP() << "which POSIX doesn't know";
#endif
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const auto allowed = static_cast<unsigned>(CPU_COUNT(&before));
  EXPECT_GE(usable_cores().all, 1u);
  EXPECT_LE(usable_cores().all, allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_cores().all, 1u);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace lfm::base
