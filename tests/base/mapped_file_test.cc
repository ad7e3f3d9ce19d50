#include "base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "base/huge_pages.h"
#include "support/expect.h"
#include "support/temp_file.h"

namespace lfm::base {
namespace {

using test::expect_ok;
using Clock = std::chrono::steady_clock;

// What /proc/self/maps says of the mapping that holds `at`.
std::string mapping_of(const std::byte* at) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    if (begin <= address && address < end) return line;
  }
  return {};
}

class MappedFileTest : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = (std::size_t{10} << 20) + 12345;

  static std::string random_bytes() {
    std::string bytes(kBytes, '\0');
    std::mt19937 random(1);
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }
  Result<MappedFile> map(MappedFile::Writers writers) const {
    auto file = File::open_read(file_.path());
    if (!file.ok()) return std::move(file).error();
    return MappedFile::map(*file, 0, kBytes, writers);
  }
  // Its pages are no longer waiting to be written, so the system may let them go.
  void sync() const {
    const int file = ::open(file_.path().c_str(), O_RDONLY);
    ASSERT_GE(file, 0);
    EXPECT_EQ(::fsync(file), 0);
    ::close(file);
  }
  bool same(const MappedFile& mapped) const { return std::memcmp(bytes_.data(), mapped.data(), kBytes) == 0; }

  const std::string bytes_ = random_bytes();
  const test::TempFile file_{bytes_};
};

// As a part at a multiple of 4 KiB does where pages are of 16 or 64.
TEST_F(MappedFileTest, BeginsAnywhereInAPage) {
  auto file = File::open_read(file_.path());
  expect_ok(file);
  const std::size_t page = page_sizes().normal;
  for (const std::size_t offset : {std::size_t{64}, page - 1, page, page + 64, 3 * page / 2}) {
    const std::size_t bytes = kBytes - offset;
    auto mapped = MappedFile::map(*file, offset, bytes, MappedFile::Writers::kTrusted);
    expect_ok(mapped);
    ASSERT_EQ(mapped->size(), bytes) << offset;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapped->data()) % page, offset % page);
    expect_ok(mapped->populate(0, bytes));
    expect_ok(mapped->populate(bytes - 1, 1));
    EXPECT_EQ(std::memcmp(mapped->data(), bytes_.data() + offset, bytes), 0) << offset;
    mapped->start_settling();
    mapped->settle();
    EXPECT_EQ(std::memcmp(mapped->data(), bytes_.data() + offset, bytes), 0) << offset << ", settled";
  }
}

TEST_F(MappedFileTest, SettlesUnderReaders) {
  sync();
  auto mapped = map(MappedFile::Writers::kTrusted);
  expect_ok(mapped);
  std::atomic<bool> settled = false;
  std::atomic<int> differences = 0;
  std::thread reader([&] {
    while (!settled) differences += same(*mapped) ? 0 : 1;
  });
  mapped->start_settling();
  mapped->settle();
  settled = true;
  reader.join();
  EXPECT_EQ(differences, 0);
  EXPECT_TRUE(same(*mapped));
  const PageMap pages;
  const std::size_t huge = page_sizes().huge;
  if (!worth_moving(page_sizes(), kBytes, pages.known())) GTEST_SKIP() << "this system has no such pages";
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapped->data()) % huge, 0u);
  bool moves = true;  // until the system has no huge page to give
  for (std::size_t at = 0; at + huge <= kBytes; at += huge) {
    const std::byte* piece = mapped->data() + at;
    const bool moved = mapping_of(piece).find(file_.path()) == std::string::npos;
    moves = moves && (moved || pages.is_huge(piece));
    EXPECT_TRUE(moves || !moved || pages.is_huge(piece)) << at;
    EXPECT_TRUE(!moved || !pages.known() || pages.is_huge(piece)) << at;
  }
}

TEST_F(MappedFileTest, SettlesWithPagesThatCannotBeLetGo) {
  auto mapped = map(MappedFile::Writers::kTrusted);
  expect_ok(mapped);
  auto other = map(MappedFile::Writers::kTrusted);
  expect_ok(other);
  expect_ok(other->populate(0, kBytes));
  mapped->start_settling();
  mapped->settle();
  EXPECT_TRUE(same(*mapped));
  EXPECT_TRUE(same(*other));
}

TEST_F(MappedFileTest, SettlesOnceAWriterHasCome) {
  auto mapped = map(MappedFile::Writers::kHeldOff);
  if (!mapped.ok()) GTEST_SKIP() << mapped.error().describe();
  mapped->start_settling();
  std::thread writer([&] {
    const int file = ::open(file_.path().c_str(), O_WRONLY | O_TRUNC);
    EXPECT_GE(file, 0);
    ::close(file);
  });
  mapped->settle();
  writer.join();
  EXPECT_TRUE(same(*mapped));
  expect_ok(mapped->check_intact());
}

TEST_F(MappedFileTest, GoesWithoutWaitingToSettle) {
  const auto start = Clock::now();
  {
    auto mapped = map(MappedFile::Writers::kTrusted);
    expect_ok(mapped);
    mapped->start_settling();
  }
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
}

TEST(PageMap, KnowsSmallPages) {
  const std::size_t huge = page_sizes().huge;
  if (huge == 0 || !PageMap().known()) GTEST_SKIP() << "this system has none, or doesn't tell";
  void* room = ::mmap(nullptr, 2 * huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(room, MAP_FAILED);
  ASSERT_EQ(::madvise(room, 2 * huge, MADV_NOHUGEPAGE), 0);
  std::fill_n(static_cast<char*>(room), 2 * huge, 'x');
  const auto begin = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t aligned = (begin + huge - 1) / huge * huge;
  EXPECT_FALSE(PageMap().is_huge(static_cast<const std::byte*>(room) + (aligned - begin)));
  ::munmap(room, 2 * huge);
}

TEST(AvailableMemory, IsPartOfAllMemory) {
  const AvailableMemory memory = available_memory();
  EXPECT_GT(memory.available, 0u);
  EXPECT_LT(memory.available, memory.total);
}

}  // namespace
}  // namespace lfm::base
