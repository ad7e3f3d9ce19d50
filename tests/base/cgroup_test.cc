// Limits of control groups, read from made-up folders in the place of /proc and /sys.
#include "base/cgroup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/huge_pages.h"
#include "support/temp_folder.h"

namespace lfm::base {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

class Cgroup : public testing::Test {
 protected:
  void say(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_.path(path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  GroupLimits limits() const { return group_limits(root_.path("")); }

  const test::TempFolder root_;
};

TEST_F(Cgroup, NothingIsNoLimit) {
  EXPECT_EQ(limits().cpus, kNoQuota);
  EXPECT_EQ(limits().memory, kNoLimit);
  say("proc/self/cgroup", "0::/user.slice/run-1.scope");
  say("sys/fs/cgroup/user.slice/run-1.scope/cpu.max", "max 100000");
  say("sys/fs/cgroup/user.slice/run-1.scope/memory.max", "max");
  EXPECT_EQ(limits().cpus, kNoQuota);
  EXPECT_EQ(limits().memory, kNoLimit);
  EXPECT_EQ(limits().unused, kNoLimit);
}

// As `systemd-run -p CPUQuota=100%` makes it.
TEST_F(Cgroup, TheProcessesOwnGroupCounts) {
  say("proc/self/cgroup", "0::/user.slice/run-1.scope");
  say("sys/fs/cgroup/user.slice/run-1.scope/cpu.max", "100000 100000");
  say("sys/fs/cgroup/user.slice/run-1.scope/memory.max", "4096000");
  say("sys/fs/cgroup/user.slice/run-1.scope/memory.current", "96000");
  say("sys/fs/cgroup/user.slice/run-2.scope/cpu.max", "1000 100000");  // another's
  EXPECT_EQ(limits().cpus, 1.0);
  EXPECT_EQ(limits().memory, 4096000u);
  EXPECT_EQ(limits().unused, 4000000u);
}

TEST_F(Cgroup, ThoseAboveCountToo) {
  say("proc/self/cgroup", "0::/a.slice/b.scope/c");
  say("sys/fs/cgroup/a.slice/cpu.max", "150000 100000");
  say("sys/fs/cgroup/a.slice/b.scope/cpu.max", "300000 100000");
  say("sys/fs/cgroup/a.slice/memory.max", "8000");
  say("sys/fs/cgroup/a.slice/memory.current", "7000");
  say("sys/fs/cgroup/a.slice/b.scope/c/memory.max", "5000");
  say("sys/fs/cgroup/a.slice/b.scope/c/memory.current", "100");
  EXPECT_EQ(limits().cpus, 1.5);
  EXPECT_EQ(limits().memory, 5000u);
  EXPECT_EQ(limits().unused, 1000u);
}

// A container's own name space: the group is the root of what it sees.
TEST_F(Cgroup, TheRootIsRead) {
  say("sys/fs/cgroup/cpu.max", "250000 100000");
  EXPECT_EQ(limits().cpus, 2.5);
  say("proc/self/cgroup", "0::/");
  EXPECT_EQ(limits().cpus, 2.5);
  say("proc/self/cgroup", "0::/docker/0123");  // named as from outside, mounted from inside
  EXPECT_EQ(limits().cpus, 2.5);
  say("proc/self/cgroup", "0::/../..");
  EXPECT_EQ(limits().cpus, 2.5);
}

TEST_F(Cgroup, VersionOne) {
  say("proc/self/cgroup", "12:memory:/jobs/7\n4:cpu,cpuacct:/jobs/7\n1:name=systemd:/other\n0::/other");
  say("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us", "50000");
  say("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_period_us", "100000");
  say("sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "9223372036854771712");
  say("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "1000000");
  say("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "400000");
  EXPECT_EQ(limits().cpus, 0.5);
  EXPECT_EQ(limits().memory, 1000000u);
  EXPECT_EQ(limits().unused, 600000u);
  say("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(limits().cpus, kNoQuota);
  say("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "200000");  // the name that most systems link to it
  say("sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000");
  EXPECT_EQ(limits().cpus, 2.0);
}

TEST_F(Cgroup, MemoryIsTheLesserOfTheMachinesAndTheGroups) {
  say("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB");
  EXPECT_EQ(available_memory(root_.path("")).total, 1024000u);
  EXPECT_EQ(available_memory(root_.path("")).available, 614400u);
  say("proc/self/cgroup", "0::/run-1.scope");
  say("sys/fs/cgroup/run-1.scope/memory.max", "500000");
  say("sys/fs/cgroup/run-1.scope/memory.current", "200000");
  EXPECT_EQ(available_memory(root_.path("")).total, 500000u);
  EXPECT_EQ(available_memory(root_.path("")).available, 300000u);
}

TEST_F(Cgroup, NonsenseIsNoLimit) {
  for (const char* text : {"", ":", "::", "0", "0:", "0::", "x:cpu", "0::nothing", ":::::", "4:cpu:"}) {
    say("proc/self/cgroup", text);
    say("sys/fs/cgroup/cpu.max", "0 0");
    say("sys/fs/cgroup/memory.max", "lots");
    EXPECT_EQ(limits().cpus, kNoQuota) << text;
    EXPECT_EQ(limits().memory, kNoLimit) << text;
  }
  say("sys/fs/cgroup/memory.max", "10");
  say("sys/fs/cgroup/memory.current", "20");
  EXPECT_EQ(limits().unused, 0u);
}

}  // namespace
}  // namespace lfm::base
