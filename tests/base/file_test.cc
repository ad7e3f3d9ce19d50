#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "support/expect.h"
#include "support/temp_file.h"

namespace lfm::base {
namespace {

std::string read(const File& file, std::uint64_t offset, std::size_t bytes) {
  std::string out(bytes, '?');
  const Status status = file.read_at(offset, std::as_writable_bytes(std::span(out)));
  return status.ok() ? out : status.error().describe();
}

TEST(File, ReadsByPosition) {
  const test::TempFile temp("0123456789");
  auto file = File::open_read(temp.path());
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(file->path(), temp.path());
  EXPECT_EQ(read(*file, 0, 10), "0123456789");
  EXPECT_EQ(read(*file, 7, 3), "789");
  EXPECT_EQ(read(*file, 10, 0), "");
  std::array<std::byte, 3> three;
  const Status beyond = file->read_at(8, three);
  test::expect_error(beyond, ErrorCode::kIo, "ends early");
  EXPECT_EQ(beyond.error().offset, 10u);
  file->forget(0, 10);
}

TEST(File, OutlivesItsName) {
  auto temp = std::make_unique<test::TempFile>("abc");
  auto file = File::open_read(temp->path());
  ASSERT_TRUE(file.ok());
  temp.reset();
  File moved = *std::move(file);
  EXPECT_EQ(read(moved, 0, 3), "abc");
}

TEST(File, RefusesWhatIsNoRegularFile) {
  test::expect_error(File::open_read("/nonexistent"), ErrorCode::kIo, "No such file");
  test::expect_error(File::open_read("/"), ErrorCode::kIo, "not a regular file");
  test::expect_error(File::open_read("/dev/zero"), ErrorCode::kIo, "not a regular file");
  test::expect_error(File::open_read(std::string("a\0b", 3)), ErrorCode::kArgument, "NUL");
  const std::string fifo = test::TempFile::new_path();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  test::expect_error(File::open_read(fifo), ErrorCode::kIo, "not a regular file");
  ::unlink(fifo.c_str());
}

TEST(File, SeesThatItChanged) {
  test::TempFile temp("abc");
  auto file = File::open_read(temp.path());
  ASSERT_TRUE(file.ok());
  test::expect_ok(file->check_unchanged());
  ASSERT_EQ(::truncate(temp.path().c_str(), 2), 0);
  test::expect_error(file->check_unchanged(), ErrorCode::kIo, "changed");

  temp.write("abc");
  auto again = File::open_read(temp.path());
  ASSERT_TRUE(again.ok());
  std::filesystem::last_write_time(temp.path(), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  test::expect_error(again->check_unchanged(), ErrorCode::kIo, "changed");
}

TEST(Printable, EscapesAndShortens) {
  EXPECT_EQ(printable("a\x1b[31m\n\x7fz"), "a\\x1b[31m\\x0a\\x7fz");
  EXPECT_EQ(printable("a\xC2\x9Bz"), "a\\xc2\\x9bz");
  for (const std::string mark : {"\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xAA", "\xE2\x80\xAE",
                                 "\xE2\x81\xA6", "\xE2\x81\xA9", "\xF3\xA0\x80\x81", "\xF3\xA0\x81\xBF"})
    EXPECT_EQ(printable("a" + mark + "z").find(mark), std::string::npos) << printable("a" + mark + "z");
  for (const std::string text :
       {"\xC3\xA9\xD8\x9B\xE2\x80\x9C\xE2\x81\xB0\xF3\xA0\x84\x80", "\xE2\x80", "\xF3\xA0\x80", "\xC2"})
    EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
  const Error error = io_error("cannot open", "x\ny", ENOENT);
  EXPECT_EQ(error.field, "x\\x0ay");
}

}  // namespace
}  // namespace lfm::base
