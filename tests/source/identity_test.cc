// What packed files keep of a source: written and read, cut anywhere, with numbers that lie.
#include "source/identity.h"

#include <gtest/gtest.h>

#include <cstring>

#include "support/expect.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using source::Identity;

TEST(IdentityTest, GivesBackWhatWasWritten) {
  const std::string one = "first", two(5000, 'x');
  const Identity written{source::Format::kGguf, {{100, as_bytes(one)}, {~std::uint64_t{0}, as_bytes(two)}, {0, {}}}};
  const std::vector<std::byte> bytes = written.write();
  const auto read = Identity::read(bytes);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->parts.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read->parts[i].file_bytes, written.parts[i].file_bytes);
    EXPECT_TRUE(std::ranges::equal(read->parts[i].kept, written.parts[i].kept));
  }
}

TEST(IdentityTest, CutOrLongerIsRefused) {
  const std::string kept = "something";
  std::vector<std::byte> bytes = Identity{source::Format::kGguf, {{100, as_bytes(kept)}, {7, {}}}}.write();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Identity::read(std::span(bytes).first(size)).ok()) << size;
  bytes.push_back({});
  EXPECT_FALSE(Identity::read(bytes).ok());
}

TEST(IdentityTest, NumbersThatLieAreRefused) {
  const std::string kept = "something";
  const std::vector<std::byte> bytes = Identity{source::Format::kGguf, {{100, as_bytes(kept)}}}.write();
  for (const std::uint32_t count : {0u, 2u, 0x7fffffffu, 0xffffffffu}) {
    auto changed = bytes;
    std::memcpy(changed.data() + 4, &count, sizeof count);
    EXPECT_FALSE(Identity::read(changed).ok()) << count;
  }
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{10}, ~std::uint64_t{0}}) {
    auto changed = bytes;
    std::memcpy(changed.data() + 16, &size, sizeof size);
    EXPECT_FALSE(Identity::read(changed).ok()) << size;
  }
  auto changed = bytes;
  changed[0] = std::byte{99};
  expect_error(source::restore(changed), ErrorCode::kFormat, "unknown format");
}

// A source made of its identity says what the one from the file said.
TEST(IdentityTest, RestoresASource) {
  const auto loaded = load(TinyModel().builder());
  ASSERT_TRUE(loaded.ok());
  const auto restored = source::restore(loaded->source->identity());
  ASSERT_TRUE(restored.ok()) << restored.error().describe();
  EXPECT_EQ((*restored)->identity(), loaded->source->identity());
  EXPECT_EQ((*restored)->bytes, loaded->source->bytes);
  EXPECT_EQ((*restored)->config()->layers.size(), loaded->config.layers.size());
  ASSERT_EQ((*restored)->tensors.size(), loaded->source->tensors.size());
  for (std::size_t i = 0; i < loaded->source->tensors.size(); ++i) {
    EXPECT_EQ((*restored)->tensors[i].name, loaded->source->tensors[i].name);
    EXPECT_EQ((*restored)->tensors[i].place.offset, loaded->source->tensors[i].place.offset);
  }
  EXPECT_EQ((*restored)->tokenizer()->tokens, loaded->source->tokenizer()->tokens);
}

}  // namespace
}  // namespace lfm::test
