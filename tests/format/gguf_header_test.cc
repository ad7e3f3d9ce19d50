// Header and metadata of GGUF files that are wrong in one place (groups H and K).
#include <gtest/gtest.h>

#include <limits>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/file_case.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::ValueType;

constexpr auto kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kHuge[] = {kMax64, std::uint64_t{1} << 63, std::uint64_t{1} << 60, std::uint64_t{1} << 32};

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

class GgufHeader : public testing::TestWithParam<FileCase> {};

TEST_P(GgufHeader, IsRefused) {
  GgufBuilder file = small_file();
  GetParam().change(file);
  expect_error(Gguf::parse(as_bytes(file.build())), GetParam().code, GetParam().says);
}

std::vector<FileCase> header_cases() {
  std::vector<FileCase> cases;
  for (const char* magic : {"FUGG", "ggml", "GGJT", "gguf", "PK\3\4"}) {
    cases.push_back({"H02_" + std::to_string(cases.size()), [=](GgufBuilder& f) { f.magic = magic; },
                     ErrorCode::kFormat, "not a GGUF file"});
  }
  for (const std::uint32_t version : {0u, 1u, 4u, ~0u}) {
    cases.push_back({"H03_version_" + std::to_string(version), [=](GgufBuilder& f) { f.version = version; },
                     ErrorCode::kUnsupported, "version " + std::to_string(version)});
  }
  for (const std::uint32_t version : {0x02000000u, 0x03000000u}) {
    cases.push_back({"H03_swapped_" + std::to_string(version >> 24), [=](GgufBuilder& f) { f.version = version; },
                     ErrorCode::kUnsupported, "big-endian"});
  }
  const std::uint64_t rest = small_file().build().size() - 24;
  for (const std::uint64_t count : {kHuge[0], kHuge[1], kHuge[2], kHuge[3], rest / 13 + 1}) {
    cases.push_back({"H04_entries_" + std::to_string(count), [=](GgufBuilder& f) { f.entry_count = count; },
                     ErrorCode::kFormat, "number of metadata keys: " + std::to_string(count)});
    cases.push_back({"H05_tensors_" + std::to_string(count), [=](GgufBuilder& f) { f.tensor_count = count; },
                     ErrorCode::kFormat, "number of tensors: " + std::to_string(count)});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Header, GgufHeader, testing::ValuesIn(header_cases()), case_name);

std::vector<FileCase> key_cases() {
  std::vector<FileCase> cases = {
      {"K01_empty_key", [](GgufBuilder& f) { f.entries[0].key = ""; }, ErrorCode::kFormat, "the key is empty"},
      {"K02_key_of_65536", [](GgufBuilder& f) { f.entries[0].key = std::string(65536, 'k'); }, ErrorCode::kFormat,
       "a key of 65536 bytes"},
      {"K02_key_length_max", [](GgufBuilder& f) { f.entries[0].key_length = kMax64; }, ErrorCode::kFormat,
       "a key of 18446744073709551615 bytes"},
      {"K02_key_beyond_the_file", [](GgufBuilder& f) { f.entries[0].key_length = 60000; }, ErrorCode::kFormat,
       "metadata key: the file is truncated: 60000 bytes wanted"},
      {"K10_architecture_twice", [](GgufBuilder& f) { f.entries.push_back(f.entries[0]); }, ErrorCode::kFormat,
       "general.architecture: the key is there twice (index 4"},
      {"K10_any_key_twice", [](GgufBuilder& f) { f.entries.insert(f.entries.begin(), f.entries[2]); },
       ErrorCode::kFormat, "numbers: the key is there twice (index 3"},
  };
  for (const std::uint32_t type : {13u, 14u, 255u, ~0u}) {
    cases.push_back({"K04_type_" + std::to_string(type), [=](GgufBuilder& f) { f.entries[1].type = type; },
                     ErrorCode::kFormat, "general.alignment: value type " + std::to_string(type)});
  }
  for (const std::uint32_t alignment : {0u, 1u, 3u, 4u, 13u, 48u, 8192u, 1u << 31, ~0u}) {
    cases.push_back({"K12_alignment_" + std::to_string(alignment),
                     [=](GgufBuilder& f) { f.set_u32("general.alignment", alignment); }, ErrorCode::kFormat,
                     "general.alignment: is " + std::to_string(alignment)});
  }
  const std::pair<ValueType, std::string> other_types[] = {{ValueType::kInt32, bytes_of(std::int32_t{32})},
                                                           {ValueType::kUint64, bytes_of(std::uint64_t{32})},
                                                           {ValueType::kUint16, bytes_of(std::uint16_t{32})},
                                                           {ValueType::kFloat32, bytes_of(32.0f)},
                                                           {ValueType::kString, string_bytes("32")}};
  for (const auto& [type, value] : other_types) {
    cases.push_back({"K12_alignment_as_" + std::string(format::to_string(type)),
                     [type = type, value = value](GgufBuilder& f) { f.set("general.alignment", type, value); },
                     ErrorCode::kFormat, "general.alignment: is " + std::string(format::to_string(type))});
  }
  for (const std::uint32_t parts : {2u, 3u, 65535u}) {
    cases.push_back(
        {"K14_split_count_" + std::to_string(parts),
         [=](GgufBuilder& f) { f.set("split.count", ValueType::kUint16, bytes_of(static_cast<std::uint16_t>(parts))); },
         ErrorCode::kUnsupported, "split.count: the file is one of " + std::to_string(parts)});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Keys, GgufHeader, testing::ValuesIn(key_cases()), case_name);

std::string nested_arrays(int depth) {
  std::string value = array_bytes(number(ValueType::kUint8), 1, "x");
  for (int i = 0; i < depth; ++i) value = array_bytes(number(ValueType::kArray), 1, value);
  return value;
}

std::vector<FileCase> value_cases() {
  const auto array = [](std::uint32_t element, std::uint64_t count, std::string elements = "") {
    return [=](GgufBuilder& f) {
      f.entries.back() = {"last", number(ValueType::kArray), array_bytes(element, count, elements)};
    };
  };
  const auto without_tensors = [](std::function<void(GgufBuilder&)> change) {
    return [=](GgufBuilder& f) {
      f.tensors.clear();
      change(f);
    };
  };
  std::vector<FileCase> cases = {
      {"K05_array_of_array", [](GgufBuilder& f) { f.set("last", ValueType::kArray, nested_arrays(1)); },
       ErrorCode::kFormat, "last: an array of arrays"},
      {"K05_100_deep", [](GgufBuilder& f) { f.set("last", ValueType::kArray, nested_arrays(100)); }, ErrorCode::kFormat,
       "last: an array of arrays"},
      {"K06_element_type_99", array(99, std::uint64_t{1} << 60), ErrorCode::kFormat, "last: value type 99"},
      {"K06_element_type_13", array(13, 1), ErrorCode::kFormat, "last: value type 13"},
      {"K07_one_element_too_many", without_tensors(array(number(ValueType::kUint64), 2, std::string(8, 'x'))),
       ErrorCode::kFormat, "last: the file is truncated: an array of 2 elements"},
      {"K07_size_wraps", array(number(ValueType::kUint64), std::uint64_t{1} << 62), ErrorCode::kFormat,
       "last: the file is truncated: an array of 4611686018427387904"},
      {"K07_size_wraps_to_8", array(number(ValueType::kUint64), (std::uint64_t{1} << 61) + 1), ErrorCode::kFormat,
       "last: the file is truncated"},
      {"K08_strings_that_are_not_there",
       without_tensors(array(number(ValueType::kString), 1000000000, std::string(9, '\0'))), ErrorCode::kFormat,
       "last: the file is truncated: an array of 1000000000"},
      {"K08_string_longer_than_the_file", array(number(ValueType::kString), 1, bytes_of(kMax64)), ErrorCode::kFormat,
       "last: the file is truncated: 18446744073709551615 bytes wanted"},
      {"K08_string_beyond_the_file", [](GgufBuilder& f) { f.entries[0].value = bytes_of(std::uint64_t{100000}); },
       ErrorCode::kFormat, "general.architecture: the file is truncated: 100000 bytes wanted"},
  };
  for (const int value : {2, 255}) {
    const std::string byte(1, static_cast<char>(value));
    cases.push_back({"K09_bool_" + std::to_string(value),
                     [=](GgufBuilder& f) { f.set("flag", ValueType::kBool, byte); }, ErrorCode::kFormat,
                     "flag: a boolean is " + std::to_string(value)});
    cases.push_back({"K09_bool_in_array_" + std::to_string(value),
                     [=](GgufBuilder& f) {
                       f.set("flags", ValueType::kArray, array_bytes(number(ValueType::kBool), 3, "\1\1" + byte));
                     },
                     ErrorCode::kFormat, "flags: a boolean is " + std::to_string(value)});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Values, GgufHeader, testing::ValuesIn(value_cases()), case_name);

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
