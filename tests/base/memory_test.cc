#include "base/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::base {
namespace {

TEST(Memory, IsZeroedAndAligned) {
  for (const auto pages : {Memory::Pages::kNormal, Memory::Pages::kHuge}) {
    auto memory = Memory::allocate(100000, pages);
    ASSERT_TRUE(memory.ok());
    EXPECT_EQ(memory->size(), 100000u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->data()) % 4096, 0u);
    EXPECT_TRUE(
        std::all_of(memory->data(), memory->data() + memory->size(), [](std::byte b) { return b == std::byte{0}; }));
    std::fill_n(memory->data(), memory->size(), std::byte{1});
  }
}

TEST(Memory, InAFileLeavesNothing) {
  const test::TempFolder folder;
  {
    auto memory = Memory::in_file(folder.path(""), 100000);
    ASSERT_TRUE(memory.ok()) << memory.error().describe();
    ASSERT_EQ(memory->size(), 100000u);
    EXPECT_TRUE(
        std::all_of(memory->data(), memory->data() + memory->size(), [](std::byte b) { return b == std::byte{0}; }));
    std::fill_n(memory->data(), memory->size(), std::byte{1});
    EXPECT_TRUE(folder.files().empty());
  }
  test::expect_error(Memory::in_file(folder.path("none"), 1), ErrorCode::kIo, "none");
}

TEST(Memory, NothingAtAll) {
  auto memory = Memory::allocate(0);
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->size(), 0u);
}

TEST(Memory, TooMuch) {
  test::expect_error(Memory::allocate(~std::size_t{0} / 2), ErrorCode::kNoMemory, "refused");
  test::expect_error(Memory::allocate(~std::size_t{0}), ErrorCode::kNoMemory, "refused");
}

TEST(Memory, Moves) {
  auto memory = Memory::allocate(5000);
  ASSERT_TRUE(memory.ok());
  memory->data()[4999] = std::byte{7};
  Memory moved = *std::move(memory);
  EXPECT_EQ(memory->size(), 0u);
  Memory other = *Memory::allocate(10);
  other = std::move(moved);
  EXPECT_EQ(other.size(), 5000u);
  EXPECT_EQ(other.data()[4999], std::byte{7});
}

TEST(Arena, ArraysLieApartAndAligned) {
  Arena arena;
  const auto bytes = arena.reserve<std::uint8_t>(1);
  const auto floats = arena.reserve<float>(17);
  const auto none = arena.reserve<float>(0);
  const auto doubles = arena.reserve<double>(3);
  test::expect_ok(arena.allocate());
  const auto a = arena.get(bytes);
  const auto b = arena.get(floats);
  const auto c = arena.get(doubles);
  EXPECT_TRUE(arena.get(none).empty());
  EXPECT_EQ(a.size(), 1u);
  EXPECT_EQ(b.size(), 17u);
  EXPECT_EQ(c.size(), 3u);
  for (const void* at : {static_cast<void*>(a.data()), static_cast<void*>(b.data()), static_cast<void*>(c.data())}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % Arena::kAlignment, 0u);
  }
  std::fill(a.begin(), a.end(), std::uint8_t{1});
  std::fill(b.begin(), b.end(), 2.0f);
  std::fill(c.begin(), c.end(), 3.0);
  EXPECT_EQ(a[0], 1);
  EXPECT_EQ(b[0], 2.0f);
  EXPECT_EQ(b[16], 2.0f);
  EXPECT_LE(64u + 128 + 64, arena.size());
}

}  // namespace
}  // namespace lfm::base
