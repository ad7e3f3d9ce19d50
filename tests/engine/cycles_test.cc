// R20: a program that opens and closes models for months. Nothing grows.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/tiny_engine.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr int kCycles = 10000;

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::size_t resident_bytes() {
  std::size_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * 4096;
}

TEST(Cycles, OpeningAndClosingLeavesNothing) {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  const TinyEngine tiny(model, {.threads = 1});
  const std::vector<TokenId> ids = random_tokens(3, 1);
  const auto cycle = [&](int i) {
    const Engine engine = tiny.open({.threads = 1 + static_cast<unsigned>(i) % 2,
                                     .dense = i % 3 == 0 ? DenseBackend::kNative : DenseBackend::kXnnpack,
                                     .chunk_tokens = 8});
    Session session = TinyEngine::new_session(engine, 64);
    expect_ok(session.append(ids));
    if (i % 10 == 0) {
      const auto missing = Engine::open("/nonexistent");
      EXPECT_FALSE(missing.ok());
    }
  };
  for (int i = 0; i < kCycles / 20; ++i) cycle(i);  // until what is kept for later is there
  const std::size_t files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  const std::size_t resident = resident_bytes();
  for (int i = 0; i < kCycles; ++i) {
    cycle(i);
    if (HasFailure()) return;
  }
  EXPECT_EQ(entries("/proc/self/fd"), files);
  EXPECT_EQ(entries("/proc/self/task"), threads);
  EXPECT_LE(resident_bytes(), resident + (std::size_t{1} << 20));
}

}  // namespace
}  // namespace lfm::test
