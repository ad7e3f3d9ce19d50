// Header and metadata of GGUF files: what is read, and what no table of cases (tests/cases) can say.
#include <gtest/gtest.h>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::ValueType;

GgufBuilder small_file() {
  GgufBuilder file;
  file.set_string("general.architecture", "lfm2moe");
  file.set_u32("general.alignment", 32);
  file.set_i32s("numbers", {1, 2, 3});
  file.set_strings("strings", {"a", "", "long enough"});
  file.add_tensor("first", {8, 4});
  file.add_tensor("second", {5});
  return file;
}

std::uint32_t number(ValueType type) {
  return static_cast<std::uint32_t>(type);
}

TEST(GgufHeaderTest, H01_LessThanAHeader) {
  const std::string file = small_file().build();
  for (const std::size_t size : {0u, 1u, 3u, 4u, 7u, 8u, 16u, 23u})
    expect_error(Gguf::parse(as_bytes(file.substr(0, size))), ErrorCode::kFormat, "the file is truncated");
}

TEST(GgufHeaderTest, H06_NothingInside) {
  GgufBuilder file;
  for (const std::size_t padding : {0u, 8u, 4096u}) {
    const auto gguf = Gguf::parse(as_bytes(file.build().substr(0, 24) + std::string(padding, '\0')));
    ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
    EXPECT_TRUE(gguf->tensors().empty());
    EXPECT_TRUE(gguf->metadata().entries().empty());
  }
}

TEST(GgufHeaderTest, H09_EveryPrefix) {
  const std::string file = small_file().build();
  const std::size_t needed = Gguf::parse(as_bytes(file))->tensors()[1].offset + 5 * 4;
  for (std::size_t size = 0; size < needed; ++size) {
    const std::string prefix = file.substr(0, size);
    const auto gguf = Gguf::parse(as_bytes(prefix));
    ASSERT_FALSE(gguf.ok()) << size;
    EXPECT_EQ(gguf.error().code, ErrorCode::kFormat) << size;
    EXPECT_FALSE(gguf.error().field.empty()) << size;
  }
  expect_ok(Gguf::parse(as_bytes(file.substr(0, needed))));
}

TEST(GgufHeaderTest, H10_TrailingBytesAreIgnored) {
  for (const std::size_t extra : {1u, 100000u})
    expect_ok(Gguf::parse(as_bytes(small_file().build() + std::string(extra, 'x'))));
}

TEST(GgufHeaderTest, K03_OddKeysAreKeptAndShownEscaped) {
  for (const std::string& key : {std::string("a\0b", 3), std::string("\x1b]52;c;x\x07"), std::string("\xff\xfe\xc3"),
                                 std::string(300, 'k'), std::string(65535, 'k')}) {
    GgufBuilder file = small_file();
    file.set_u32(key, 7);
    const auto gguf = Gguf::parse(as_bytes(file.build()));
    ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
    EXPECT_EQ(*gguf->metadata().require_unsigned(key), 7u);
    const std::string shown = gguf->metadata().require_string(key).error().describe();
    EXPECT_LT(shown.size(), 200u);
    EXPECT_EQ(shown.find_first_of(std::string_view("\0\x1b\x07", 3)), std::string::npos);
  }
}

TEST(GgufHeaderTest, K14_MergedFilesAreWhole) {
  for (const std::uint16_t parts : {std::uint16_t{0}, std::uint16_t{1}}) {
    GgufBuilder file = small_file();
    file.set("split.count", ValueType::kUint16, bytes_of(parts));
    expect_ok(Gguf::parse(as_bytes(file.build())));
  }
}

TEST(GgufHeaderTest, MoreKeysThanTheLimit) {
  GgufBuilder file;
  for (std::uint64_t i = 0; i <= Gguf::kMaxEntries; ++i)
    file.entries.push_back({std::to_string(i), number(ValueType::kUint8), "x"});
  expect_error(Gguf::parse(as_bytes(file.build())), ErrorCode::kLimit, "number of metadata keys: 65537");
  file.entries.pop_back();
  expect_ok(Gguf::parse(as_bytes(file.build())));
}

TEST(GgufHeaderTest, AlignmentsFrom8To4096) {
  for (std::uint32_t alignment = 8; alignment <= 4096; alignment *= 2) {
    GgufBuilder file = small_file();
    file.set_u32("general.alignment", alignment);
    file.alignment = alignment;
    const auto gguf = Gguf::parse(as_bytes(file.build()));
    ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
    EXPECT_EQ(gguf->data_offset() % alignment, 0u);
    EXPECT_EQ(gguf->tensors()[1].offset % alignment, 0u);
  }
}

TEST(GgufHeaderTest, Version2IsTheSame) {
  GgufBuilder file = small_file();
  file.version = 2;
  const auto gguf = Gguf::parse(as_bytes(file.build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  EXPECT_EQ(gguf->version(), 2u);
  EXPECT_EQ(gguf->tensors().size(), 2u);
}

}  // namespace
}  // namespace lfm::test
