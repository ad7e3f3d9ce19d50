#include "base/huge_pages.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

namespace lfm::base {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A folder like /sys of a system with such pages.
PageSizes sizes_of(std::size_t normal, const std::string& enabled, const std::string& huge) {
  const test::TempFolder sys;
  const std::filesystem::path folder = sys.path("kernel/mm/transparent_hugepage");
  std::filesystem::create_directories(folder);
  if (!enabled.empty()) std::ofstream(folder / "enabled") << enabled << '\n';
  if (!huge.empty()) std::ofstream(folder / "hpage_pmd_size") << huge << '\n';
  return page_sizes(normal, sys.path(""));
}

TEST(PageSizes, AreWhatTheSystemSays) {
  constexpr const char* kEnabled = "always [madvise] never";
  EXPECT_EQ(sizes_of(4096, kEnabled, "2097152").huge, 2 * kMiB);
  EXPECT_EQ(sizes_of(16384, kEnabled, "33554432").huge, 32 * kMiB);
  EXPECT_EQ(sizes_of(65536, "[always] madvise never", "536870912").huge, 512 * kMiB);
  EXPECT_EQ(sizes_of(16384, kEnabled, "33554432").normal, 16384u);
}

TEST(PageSizes, AreNoneWhereTheSystemGivesNone) {
  EXPECT_EQ(sizes_of(4096, "always madvise [never]", "2097152").huge, 0u);
  EXPECT_EQ(sizes_of(4096, "", "").huge, 0u);
  EXPECT_EQ(sizes_of(4096, "[always] madvise never", "").huge, 0u);
  for (const char* odd : {"0", "4096", "3000000", "-1", "two"}) {
    EXPECT_EQ(sizes_of(4096, "[always] madvise never", odd).huge, 0u) << odd;
  }
}

TEST(WorthMoving, WhereItCanHelp) {
  constexpr PageSizes kUsual{4096, 2 * kMiB};
  EXPECT_TRUE(worth_moving(kUsual, 5000 * kMiB, true));
  EXPECT_TRUE(worth_moving(kUsual, 5000 * kMiB, false));  // before Linux 6.7
  EXPECT_TRUE(worth_moving(kUsual, 2 * kMiB, true));
  EXPECT_FALSE(worth_moving(kUsual, 2 * kMiB - 1, true));
}

// A Raspberry Pi 5, an Apple under Linux, Android with 16 KiB pages: 32 MiB in a row are rarely free.
TEST(WorthMoving, LargerOnesOnlyWhereTheSystemTells) {
  constexpr PageSizes kLarge{16384, 32 * kMiB};
  EXPECT_FALSE(worth_moving(kLarge, 5000 * kMiB, false));
  EXPECT_TRUE(worth_moving(kLarge, 5000 * kMiB, true));
  EXPECT_FALSE(worth_moving(kLarge, 31 * kMiB, true));
  EXPECT_FALSE(worth_moving({65536, 0}, 5000 * kMiB, true));
}

TEST(PageSizes, OfThisSystemAreSane) {
  EXPECT_GE(page_sizes().normal, 4096u);
  EXPECT_EQ(page_sizes().huge % page_sizes().normal, 0u);
}

}  // namespace
}  // namespace lfm::base
