// GGUF files on a disk, and things that are no files (H07, H08, H10, K15).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "format/gguf.h"
#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;
using base::File;
using format::Gguf;
using format::ValueType;

class GgufFile : public testing::Test {
 protected:
  GgufFile() {
    std::string name = testing::TempDir() + "lfm-gguf-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~GgufFile() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }

  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

  fs::path directory_;
};

GgufBuilder small_file() {
  GgufBuilder file;
  file.set_string("general.architecture", "lfm2");
  file.add_tensor("tensor", {32, 4});
  return file;
}

Result<Gguf> read(const std::string& path) {
  auto file = File::open_read(path);
  if (!file.ok()) return std::move(file).error();
  return Gguf::read(*file);
}

TEST_F(GgufFile, ReadsWhatParseReads) {
  const auto gguf = read(write("model.gguf", small_file().build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  EXPECT_EQ(gguf->tensors()[0].bytes, 512u);
  EXPECT_EQ(gguf->file_bytes(), fs::file_size(path("model.gguf")));
}

TEST_F(GgufFile, HeadersOfManyPieces) {
  std::vector<std::string> strings(200000, "eight by");
  GgufBuilder file = small_file();
  file.set_strings("strings", strings);
  file.set_string("long", std::string(1000000, 'x'));
  const auto gguf = read(write("model.gguf", file.build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  EXPECT_EQ((*gguf->metadata().require_strings("strings"))[199999], "eight by");
  EXPECT_EQ(gguf->metadata().require_string("long")->size(), 1000000u);
}

TEST_F(GgufFile, H07_NotARegularFile) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (const std::string& name : {directory_.string(), path("fifo"), path("socket"), std::string("/dev/zero")}) {
    const auto gguf = read(name);
    ASSERT_FALSE(gguf.ok()) << name;
    EXPECT_EQ(gguf.error().code, ErrorCode::kIo) << name;
  }
  EXPECT_FALSE(read("/proc/self/mem").ok());
  ::close(listener);
}

TEST_F(GgufFile, H08_OddPaths) {
  EXPECT_FALSE(read(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(read("").ok());
  EXPECT_FALSE(read(path(std::string(5000, 'x'))).ok());
  EXPECT_FALSE(read(path("absent\x1b[2J\xff")).ok());
  EXPECT_EQ(read(path("absent\x1b[2J\xff")).error().describe().find('\x1b'), std::string::npos);
  fs::create_symlink(path("loop"), path("loop"));
  expect_error(read(path("loop")), ErrorCode::kIo, "cannot open");
  expect_ok(read(write("\xff\xfe.gguf", small_file().build())));
}

TEST_F(GgufFile, H10_AGigabyteBehindTheEnd) {
  const std::string name = write("model.gguf", small_file().build());
  fs::resize_file(name, std::uint64_t{1} << 30);
  expect_ok(read(name));
}

TEST_F(GgufFile, K15_AGigabyteOfName) {
  GgufBuilder file;
  file.set("general.name", ValueType::kString, bytes_of(std::uint64_t{1} << 30));
  const std::string name = write("model.gguf", file.build());
  fs::resize_file(name, (std::uint64_t{1} << 30) + 4096);
  expect_error(read(name), ErrorCode::kLimit, "general.name: the header is larger than 33554432 bytes");
}

TEST_F(GgufFile, CutWhileItIsRead) {
  const std::string name = write("model.gguf", small_file().build());
  auto file = File::open_read(name);
  ASSERT_TRUE(file.ok());
  fs::resize_file(name, 40);
  expect_error(Gguf::read(*file), ErrorCode::kIo, "");
}

}  // namespace
}  // namespace lfm::test
