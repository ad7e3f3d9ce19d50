// The writer of the pack cache: whoever waits for it waits for the file.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/load/pack_cache.h"
#include "support/expect.h"
#include "support/temp_folder.h"

extern "C" {
int __real_fsync(int file);
int __wrap_fsync(int file) {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a slow disk
  return __real_fsync(file);
}
}

namespace lfm::test {
namespace {

// The last chunk, and with it the end, is anybody's.
TEST(CacheWriter, AllWhoFinishFindTheFile) {
  const std::vector<std::byte> weights(4 * format::kPackChunk);
  const TempFolder folder;
  for (int round = 0; round < 8; ++round) {
    engine::CacheKey key;
    key.path = folder.path("cached-" + std::to_string(round));
    auto writer = engine::CacheWriter::start(key, weights);
    ASSERT_TRUE(writer.ok()) << writer.error().describe();
    const auto finish = [&] {
      expect_ok((*writer)->finish());
      EXPECT_TRUE(std::filesystem::exists(key.path));
    };
    std::thread one(finish), other(finish), third(finish);
    one.join();
    other.join();
    third.join();
    expect_ok((*writer)->finish());
  }
}

TEST(CacheWriter, AFailureIsToldToAll) {
  const std::vector<std::byte> weights(4 * format::kPackChunk);
  const TempFolder folder;
  engine::CacheKey key;
  key.path = folder.path("cached");
  auto writer = engine::CacheWriter::start(key, weights);
  ASSERT_TRUE(writer.ok()) << writer.error().describe();
  std::filesystem::create_directory(key.path);  // in the way of the rename
  const auto finish = [&] { expect_error((*writer)->finish(), ErrorCode::kIo, "cannot write"); };
  std::thread one(finish), other(finish);
  one.join();
  other.join();
  finish();
}

}  // namespace
}  // namespace lfm::test
