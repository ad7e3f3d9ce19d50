#include "base/file_lease.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>

#include "support/expect.h"
#include "support/temp_file.h"

namespace lfm::base {
namespace {

using test::expect_error;
using test::expect_ok;
using test::TempFile;

std::atomic<int> signals = 0;

class FileLeaseTest : public testing::Test {
 protected:
  FileLeaseTest() : opened_(File::open_read(path_.path())) {}

  void SetUp() override {
    if (!FileLease::take(*opened_, [] {}).ok()) GTEST_SKIP() << "no leases on this file system";
  }
  const File& file() const { return *opened_; }
  std::string path() const { return path_.path(); }

  TempFile path_{"some bytes"};
  Result<File> opened_;
};

TEST_F(FileLeaseTest, IsAskedBeforeAWriterGetsOn) {
  std::atomic<int> asked = 0;
  std::uintmax_t size = 0;
  const auto lease = FileLease::take(file(), [&] {
    size = std::filesystem::file_size(path());
    ++asked;
  });
  ASSERT_TRUE(lease.ok()) << lease.error().describe();
  ASSERT_EQ(::truncate(path().c_str(), 3), 0);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(size, 10u);
  const int writer = ::open(path().c_str(), O_WRONLY);
  EXPECT_GE(writer, 0);
  EXPECT_EQ(asked, 1) << "it was given up";
  ::close(writer);
}

TEST_F(FileLeaseTest, SeveralMayHoldOne) {
  std::atomic<int> asked = 0;
  const auto first = FileLease::take(file(), [&] { ++asked; });
  const auto again = File::open_read(path());
  const auto second = FileLease::take(*again, [&] { ++asked; });
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ(::truncate(path().c_str(), 3), 0);
  EXPECT_EQ(asked, 2);
}

TEST_F(FileLeaseTest, WritersThatAreThereRefuseIt) {
  const int writer = ::open(path().c_str(), O_WRONLY);
  expect_error(FileLease::take(file(), [] {}), ErrorCode::kIo, "cannot lease");
  ::close(writer);
  expect_ok(FileLease::take(file(), [] {}));
}

TEST_F(FileLeaseTest, ReplacingAndDeletingGoOnUndisturbed) {
  std::atomic<int> asked = 0;
  const auto lease = FileLease::take(file(), [&] { ++asked; });
  const TempFile other("others");
  std::filesystem::rename(other.path(), path());
  std::filesystem::remove(path());
  EXPECT_EQ(asked, 0);
}

TEST_F(FileLeaseTest, TheApplicationsSignalsAreItsOwn) {
  struct sigaction old, mine = {};
  mine.sa_handler = [](int) { ++signals; };
  ASSERT_EQ(::sigaction(SIGIO, &mine, &old), 0);
  {
    std::atomic<int> asked = 0;
    const auto lease = FileLease::take(file(), [&] { ++asked; });
    ASSERT_TRUE(lease.ok());
    ::raise(SIGIO);
    EXPECT_EQ(signals, 1);
    ASSERT_EQ(::truncate(path().c_str(), 3), 0);
    EXPECT_EQ(asked, 1);
  }
  EXPECT_EQ(signals, 1);
  ::sigaction(SIGIO, &old, nullptr);
}

}  // namespace
}  // namespace lfm::base
