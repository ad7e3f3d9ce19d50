// The tensor list of GGUF files: what is read, and what no table of cases (tests/cases) can say.
#include <gtest/gtest.h>

#include <array>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

using format::Gguf;

GgufBuilder small_file() {
  GgufBuilder file;
  file.set_string("general.architecture", "lfm2moe");
  file.add_tensor("first", {32, 4});
  file.add_tensor("second", {5});
  file.add_tensor("third", {2, 3, 4, 5});
  return file;
}

TEST(GgufTensorsTest, WhatTheFileSays) {
  const auto gguf = Gguf::parse(as_bytes(small_file().build()));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  ASSERT_EQ(gguf->tensors().size(), 3u);
  const format::TensorInfo& third = gguf->tensors()[2];
  EXPECT_EQ(third.name, "third");
  EXPECT_EQ(third.rank, 4u);
  EXPECT_EQ(third.dims, (std::array<std::uint64_t, 4>{2, 3, 4, 5}));
  EXPECT_EQ(third.elements(), 120u);
  EXPECT_EQ(third.rows(), 60u);
  EXPECT_EQ(third.bytes, 480u);
  EXPECT_EQ(third.offset, gguf->data_offset() + 32 * 4 * 4 + 32);
  EXPECT_EQ(gguf->find("third"), &third);
  EXPECT_EQ(gguf->find("fourth"), nullptr);
  EXPECT_EQ(gguf->find(""), nullptr);
}

TEST(GgufTensorsTest, T15_AnyOrderAndHoles) {
  GgufBuilder file = small_file();
  file.tensors[0].offset = 4096;
  file.tensors[1].offset = 64;
  file.tensors[2].offset = 1024;
  expect_ok(Gguf::parse(as_bytes(file.build() + std::string(8192, '\0'))));
}

TEST(GgufTensorsTest, T16_LastByteMissing) {
  const std::string file = small_file().build();
  const auto end = Gguf::parse(as_bytes(file))->tensors()[2];
  const std::string cut = file.substr(0, end.offset + end.bytes - 1);
  expect_error(Gguf::parse(as_bytes(cut)), ErrorCode::kFormat, "third: the file is truncated");
}

TEST(GgufTensorsTest, T16_FileEndsBehindTheList) {
  GgufBuilder file = small_file();
  for (auto& tensor : file.tensors) tensor.data.clear();
  std::string whole = file.build();
  for (int i = 0; i < 32; ++i, whole.pop_back())
    expect_error(Gguf::parse(as_bytes(whole)), ErrorCode::kFormat, "the file is truncated");
}

TEST(GgufTensorsTest, T17_AMillionTensors) {
  GgufBuilder file;
  for (int i = 0; i < 1000000; ++i) file.tensors.push_back({std::to_string(i), {1}, 0, ""});
  expect_error(Gguf::parse(as_bytes(file.build())), ErrorCode::kLimit, "number of tensors: 1000000");
}

TEST(GgufTensorsTest, T17_AsManyAsTheLimit) {
  GgufBuilder file;
  file.alignment = 8;
  file.set_u32("general.alignment", 8);
  for (std::uint64_t i = 0; i < Gguf::kMaxEntries; ++i) file.add_tensor(std::to_string(i * 7919 % 65536), {1});
  expect_ok(Gguf::parse(as_bytes(file.build())));
  file.tensors.back().name = "0";
  expect_error(Gguf::parse(as_bytes(file.build())), ErrorCode::kFormat, "0: the tensor is there twice (index 65535");
}

TEST(GgufTensorsTest, EveryTypeIsSizedInWholeBlocks) {
  for (std::uint32_t id = 0; id < 64; ++id) {
    const auto type = format::tensor_type(id);
    if (!type) continue;
    GgufBuilder file = small_file();
    const std::uint64_t columns = format::block_columns(*type) * 3;
    file.tensors[2] = {"third", {columns, 2}, id, std::string(*format::row_bytes(*type, columns) * 2, 'x')};
    const auto gguf = Gguf::parse(as_bytes(file.build()));
    ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
    EXPECT_EQ(gguf->tensors()[2].bytes, format::block_bytes(*type) * 6) << format::to_string(*type);
  }
}

}  // namespace
}  // namespace lfm::test
