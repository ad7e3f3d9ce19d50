#include "format/metadata.h"

#include <gtest/gtest.h>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::Metadata;
using format::ValueType;

constexpr ValueType kNumbers[] = {ValueType::kUint8,  ValueType::kInt8,  ValueType::kUint16, ValueType::kInt16,
                                  ValueType::kUint32, ValueType::kInt32, ValueType::kUint64, ValueType::kInt64};

std::string number_bytes(ValueType type, std::int64_t value) {
  const std::string bytes = bytes_of(value);
  const bool narrow = type == ValueType::kUint8 || type == ValueType::kInt8;
  const bool medium = type == ValueType::kUint16 || type == ValueType::kInt16;
  const bool wide = type == ValueType::kUint64 || type == ValueType::kInt64;
  return bytes.substr(0, narrow ? 1 : medium ? 2 : wide ? 8 : 4);
}

bool is_signed(ValueType type) {
  return type == ValueType::kInt8 || type == ValueType::kInt16 || type == ValueType::kInt32 ||
         type == ValueType::kInt64;
}

GgufBuilder every_type() {
  GgufBuilder file;
  for (const ValueType type : kNumbers) file.set(format::to_string(type), type, number_bytes(type, 100));
  file.set_f32("float32", 1.5f);
  file.set("float64", ValueType::kFloat64, bytes_of(2.5));
  file.set("boolean", ValueType::kBool, bytes_of(true));
  file.set_string("string", "text");
  file.set_string("empty", "");
  file.set_strings("strings", {"a", "", "c c"});
  file.set_i32s("int32s", {-1, 0, 7});
  const std::string floats = bytes_of(0.5f) + bytes_of(-4.0f);
  file.set("floats", ValueType::kArray, array_bytes(static_cast<std::uint32_t>(ValueType::kFloat32), 2, floats));
  return file;
}

// Every getter gives the values of its own types and refuses the others by name.
TEST(MetadataTest, Getters) {
  const auto gguf = Gguf::parse(as_bytes(every_type().build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  const Metadata& metadata = gguf->metadata();
  for (const ValueType type : kNumbers) EXPECT_EQ(*metadata.require_unsigned(format::to_string(type)), 100u);
  EXPECT_EQ(*metadata.require_float("float32"), 1.5);
  EXPECT_EQ(*metadata.require_float("float64"), 2.5);
  EXPECT_EQ(*metadata.find_bool("boolean"), true);
  EXPECT_EQ(*metadata.require_string("string"), "text");
  EXPECT_EQ(*metadata.require_string("empty"), "");
  EXPECT_EQ(*metadata.require_integers("int32s"), (std::vector<std::int32_t>{-1, 0, 7}));
  const auto strings = metadata.require_strings("strings");
  ASSERT_TRUE(strings.ok());
  ASSERT_EQ(strings->size(), 3u);
  EXPECT_EQ((*strings)[0], "a");
  EXPECT_EQ((*strings)[1], "");
  EXPECT_EQ((*strings)[2], "c c");
}

TEST(MetadataTest, WrongTypesAreNamed) {
  const auto gguf = Gguf::parse(as_bytes(every_type().build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  const Metadata& metadata = gguf->metadata();
  for (const Metadata::Entry& entry : metadata.entries()) {
    const std::string key(entry.key);
    const bool integer = entry.type != ValueType::kArray && key.find("int") != std::string::npos;
    if (!integer) expect_error(metadata.find_unsigned(key), ErrorCode::kFormat, key + ": is ");
    if (key.rfind("float", 0) != 0 || key == "floats")
      expect_error(metadata.find_float(key), ErrorCode::kFormat, "expected float32");
    if (key != "boolean") expect_error(metadata.find_bool(key), ErrorCode::kFormat, "expected boolean");
    if (entry.type != ValueType::kString)
      expect_error(metadata.find_string(key), ErrorCode::kFormat, "expected string");
    if (key != "strings") expect_error(metadata.find_strings(key), ErrorCode::kFormat, "expected array of string");
    if (key != "int32s") expect_error(metadata.find_integers(key), ErrorCode::kFormat, "expected array of int32");
  }
}

TEST(MetadataTest, AbsentKeys) {
  const auto gguf = Gguf::parse(as_bytes(every_type().build()));
  ASSERT_TRUE(gguf.ok());
  const Metadata& metadata = gguf->metadata();
  EXPECT_FALSE(metadata.contains("absent"));
  EXPECT_FALSE(metadata.find_unsigned("absent")->has_value());
  EXPECT_FALSE(metadata.find_float("absent")->has_value());
  EXPECT_FALSE(metadata.find_bool("absent")->has_value());
  EXPECT_FALSE(metadata.find_string("absent")->has_value());
  EXPECT_FALSE(metadata.find_strings("absent")->has_value());
  EXPECT_FALSE(metadata.find_integers("absent")->has_value());
  expect_error(metadata.require_unsigned("absent"), ErrorCode::kFormat, "absent: the key is missing");
  expect_error(metadata.require_float("absent"), ErrorCode::kFormat, "absent: the key is missing");
  expect_error(metadata.require_string("absent"), ErrorCode::kFormat, "absent: the key is missing");
  expect_error(metadata.require_strings("absent"), ErrorCode::kFormat, "absent: the key is missing");
  expect_error(metadata.require_integers("absent"), ErrorCode::kFormat, "absent: the key is missing");
}

TEST(MetadataTest, NegativeAndTooLargeNumbers) {
  GgufBuilder file;
  for (const ValueType type : kNumbers) file.set(format::to_string(type), type, number_bytes(type, -1));
  const std::string elements = bytes_of(7u) + bytes_of(0x80000000u);
  file.set("uint32s", ValueType::kArray, array_bytes(static_cast<std::uint32_t>(ValueType::kUint32), 2, elements));
  const auto gguf = Gguf::parse(as_bytes(file.build()));
  ASSERT_TRUE(gguf.ok());
  for (const ValueType type : kNumbers) {
    const auto value = gguf->metadata().require_unsigned(format::to_string(type));
    if (is_signed(type)) {
      expect_error(value, ErrorCode::kFormat, std::string(format::to_string(type)) + ": -1 is negative");
    } else {
      expect_ok(value);
    }
  }
  expect_error(gguf->metadata().find_integers("uint32s"), ErrorCode::kFormat,
               "uint32s: 2147483648 is out of range (index 1, at byte");
}

TEST(MetadataTest, ViewsStayValidWhenMoved) {
  auto gguf = Gguf::parse(as_bytes(every_type().build()));
  ASSERT_TRUE(gguf.ok());
  const format::StringArray strings = *gguf->metadata().require_strings("strings");
  const std::string_view text = *gguf->metadata().require_string("string");
  const Gguf moved = *std::move(gguf);
  EXPECT_EQ(strings[2], "c c");
  EXPECT_EQ(text, "text");
  EXPECT_EQ(*moved.metadata().require_string("string"), "text");
  EXPECT_EQ((*moved.metadata().require_strings("strings"))[0], "a");
}

TEST(MetadataTest, ALargeVocabulary) {
  std::vector<std::string> tokens, merges;
  for (int i = 0; i < 128000; ++i) tokens.push_back("token" + std::to_string(i));
  for (int i = 0; i < 300000; ++i) merges.push_back("left" + std::to_string(i) + " right");
  GgufBuilder file;
  file.set_strings("tokens", tokens);
  file.set_strings("merges", merges);
  const auto gguf = Gguf::parse(as_bytes(file.build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  const auto read_tokens = *gguf->metadata().require_strings("tokens");
  const auto read_merges = *gguf->metadata().require_strings("merges");
  ASSERT_EQ(read_tokens.size(), tokens.size());
  ASSERT_EQ(read_merges.size(), merges.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) ASSERT_EQ(read_tokens[i], tokens[i]);
  for (std::size_t i = 0; i < merges.size(); ++i) ASSERT_EQ(read_merges[i], merges[i]);
}

}  // namespace
}  // namespace lfm::test
