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
  static constexpr std::size_t kBytes = 5 * kHugePage + 12345;

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
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapped->data()) % kHugePage, 0u);
  if (!huge_pages_enabled()) GTEST_SKIP() << "this system has no huge pages";
  const PageMap pages;
  for (std::size_t at = 0; at + kHugePage <= kBytes; at += kHugePage) {
    const std::byte* piece = mapped->data() + at;
    EXPECT_TRUE(pages.is_huge(piece) || mapping_of(piece).find(file_.path()) == std::string::npos) << at;
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
  void* room = ::mmap(nullptr, 2 * kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(room, MAP_FAILED);
  ASSERT_EQ(::madvise(room, 2 * kHugePage, MADV_NOHUGEPAGE), 0);
  std::fill_n(static_cast<char*>(room), 2 * kHugePage, 'x');
  const auto begin = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t aligned = (begin + kHugePage - 1) / kHugePage * kHugePage;
  EXPECT_FALSE(PageMap().is_huge(static_cast<const std::byte*>(room) + (aligned - begin)));
  ::munmap(room, 2 * kHugePage);
}

TEST(AvailableMemory, IsPartOfAllMemory) {
  const AvailableMemory memory = available_memory();
  EXPECT_GT(memory.available, 0u);
  EXPECT_LT(memory.available, memory.total);
}

}  // namespace
}  // namespace lfm::base
