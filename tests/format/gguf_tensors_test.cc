// The tensor list of GGUF files that are wrong in one place (group T).
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/file_case.h"
#include "support/gguf_builder.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::TensorType;

constexpr auto kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr auto k2To31 = std::uint64_t{1} << 31;
constexpr auto k2To32 = std::uint64_t{1} << 32;
constexpr auto k2To40 = std::uint64_t{1} << 40;
constexpr auto k2To60 = std::uint64_t{1} << 60;
constexpr auto k2To62 = std::uint64_t{1} << 62;
constexpr auto k2To63 = std::uint64_t{1} << 63;

std::uint32_t number(TensorType type) {
  return static_cast<std::uint32_t>(type);
}

GgufBuilder small_file() {
  GgufBuilder file;
  file.set_string("general.architecture", "lfm2moe");
  file.add_tensor("first", {32, 4});
  file.add_tensor("second", {5});
  file.add_tensor("third", {2, 3, 4, 5});
  return file;
}

class GgufTensors : public testing::TestWithParam<FileCase> {};

TEST_P(GgufTensors, IsRefused) {
  GgufBuilder file = small_file();
  GetParam().change(file);
  expect_error(Gguf::parse(as_bytes(file.build())), GetParam().code, GetParam().says);
}

std::function<void(GgufBuilder&)> named(std::string name) {
  return [=](GgufBuilder& f) { f.tensors[1].name = name; };
}

std::function<void(GgufBuilder&)> shaped(std::vector<std::uint64_t> dims, TensorType type = TensorType::kF32) {
  return [=](GgufBuilder& f) {
    f.tensors[1].dims = dims;
    f.tensors[1].type = number(type);
  };
}

std::function<void(GgufBuilder&)> placed(std::uint64_t offset) {
  return [=](GgufBuilder& f) { f.tensors[1].offset = offset; };
}

std::vector<FileCase> name_cases() {
  std::vector<FileCase> cases = {
      {"T01_empty", named(""), ErrorCode::kFormat, "tensor: a name of 0 bytes, expected 1 to 63 (index 1"},
      {"T01_64_bytes", named(std::string(64, 'n')), ErrorCode::kFormat, "tensor: a name of 64 bytes"},
      {"T01_65_bytes", named(std::string(65, 'n')), ErrorCode::kFormat, "tensor: a name of 65 bytes"},
      {"T01_length_max", [](GgufBuilder& f) { f.tensors[1].name_length = kMax64; }, ErrorCode::kFormat,
       "tensor: a name of 18446744073709551615 bytes"},
      {"T01_nul", named(std::string("a\0b", 3)), ErrorCode::kFormat, "tensor: the name 'a\\x00b' isn't"},
      {"T01_escape", named("\x1b[2J"), ErrorCode::kFormat, "tensor: the name '\\x1b[2J' isn't"},
      {"T01_space", named("a b"), ErrorCode::kFormat, "isn't printable ASCII"},
      {"T01_not_ascii", named("\xc3\xa9"), ErrorCode::kFormat, "isn't printable ASCII"},
      {"T02_twice", named("third"), ErrorCode::kFormat, "third: the tensor is there twice (index 2"},
  };
  for (const std::uint32_t rank : {0u, 5u, 9u, ~0u}) {
    cases.push_back({"T03_rank_" + std::to_string(rank), [=](GgufBuilder& f) { f.tensors[1].rank = rank; },
                     ErrorCode::kFormat, "second: " + std::to_string(rank) + " dimensions"});
  }
  for (const std::uint32_t type : {4u, 5u, 31u, 33u, 36u, 38u, 42u, 43u, 255u, 1u << 31, ~0u}) {
    cases.push_back({"T10_type_" + std::to_string(type), [=](GgufBuilder& f) { f.tensors[1].type = type; },
                     ErrorCode::kUnsupported, "second: tensor type " + std::to_string(type)});
  }
  return cases;
}

std::vector<FileCase> shape_cases() {
  const std::string beyond = "second: the number of elements is beyond 63 bits";
  const std::string cut = "second: the file is truncated";
  return {
      {"T04_zero", shaped({0}), ErrorCode::kFormat, "second: dimension 0 is zero"},
      {"T04_zero_later", shaped({32, 4, 0}), ErrorCode::kFormat, "second: dimension 2 is zero"},
      {"T04_zero_beside_huge", shaped({k2To63, k2To63, 0}), ErrorCode::kFormat, "second: dimension 2 is zero"},
      {"T04_minus_one", shaped({kMax64}), ErrorCode::kFormat, beyond},
      {"T04_2_to_63", shaped({k2To63}), ErrorCode::kFormat, beyond},
      {"T05_product_wraps", shaped({k2To40, k2To40}), ErrorCode::kFormat, beyond},
      {"T05_sum_wraps",
       [](GgufBuilder& f) {
         for (const std::size_t i : {0u, 1u}) {
           f.tensors[i].dims = {k2To63 - 64};
           f.tensors[i].type = number(TensorType::kI8);
         }
       },
       ErrorCode::kFormat, "first: the file is truncated"},
      {"T06_product_wraps_to_zero", shaped({k2To32, k2To32}), ErrorCode::kFormat, beyond},
      {"T06_product_wraps_negative", shaped({k2To32, k2To31}), ErrorCode::kFormat, beyond},
      {"T06_product_wraps_to_one_element", shaped({k2To63 + 1, 2, k2To63 + 1}), ErrorCode::kFormat, beyond},
      {"T06_product_wraps_to_4", shaped({4194305, 4194305, 211106198978564}), ErrorCode::kFormat, beyond},
      {"T07_bytes_at_the_top", shaped({k2To62 - 1}), ErrorCode::kFormat, cut},
      {"T07_bytes_wrap", shaped({k2To62}), ErrorCode::kFormat, "second: the size in bytes is beyond 64 bits"},
      {"T07_quarter_of_all", shaped({kMax64 / 4}), ErrorCode::kFormat, cut},
      {"T07_2_to_63_less_3", shaped({k2To63 - 3}), ErrorCode::kFormat, "second: the size in bytes is beyond 64 bits"},
      {"T07_round_up_wraps", shaped({k2To63 - 3}, TensorType::kI16), ErrorCode::kFormat, cut},
      {"T08_q4_0_wide", shaped({k2To60}, TensorType::kQ4_0), ErrorCode::kFormat, cut},
      {"T08_q8_0_wide", shaped({k2To62}, TensorType::kQ8_0), ErrorCode::kFormat, cut},
      {"T08_q8_k_wide", shaped({k2To62, 1}, TensorType::kQ8_K), ErrorCode::kFormat, cut},
      {"T09_q4_0_2047", shaped({2047}, TensorType::kQ4_0), ErrorCode::kFormat,
       "second: dimension 0 is 2047, not a multiple of 32 as type Q4_0 needs"},
      {"T09_q4_k_2016", shaped({2016}, TensorType::kQ4_K), ErrorCode::kFormat,
       "second: dimension 0 is 2016, not a multiple of 256 as type Q4_K needs"},
      {"T09_q6_k_32", shaped({32, 8}, TensorType::kQ6_K), ErrorCode::kFormat, "not a multiple of 256"},
      {"T09_nvfp4_96", shaped({96}, TensorType::kNVFP4), ErrorCode::kFormat, "not a multiple of 64"},
  };
}

std::vector<FileCase> place_cases() {
  const std::string unaligned = "isn't a multiple of the alignment, 32";
  const std::string cut = "second: the file is truncated";
  const std::uint64_t all = 32 * 4 * 4 + 32 + 480;  // bytes of the three tensors, padded
  return {
      {"T14_offset_1", placed(1), ErrorCode::kFormat, unaligned},
      {"T14_offset_7", placed(7), ErrorCode::kFormat, unaligned},
      {"T14_offset_8", placed(8), ErrorCode::kFormat, unaligned},
      {"T14_offset_2_to_63", placed(k2To63), ErrorCode::kFormat, cut},
      {"T14_offset_at_the_top", placed(kMax64 - 31), ErrorCode::kFormat, cut},
      {"T14_offset_last_byte", placed(all - 1), ErrorCode::kFormat, unaligned},
      {"T14_offset_at_the_end", placed(all), ErrorCode::kFormat, cut},
      {"T14_offset_after_the_end", placed(all + 32), ErrorCode::kFormat, cut},
      {"T14_end_after_the_end",
       [=](GgufBuilder& f) {
         f.tensors[1].offset = all - 32;
         f.tensors[1].dims = {9};
       },
       ErrorCode::kFormat, cut},
      {"T15_all_at_zero",
       [](GgufBuilder& f) {
         for (auto& tensor : f.tensors) tensor.offset = 0;
       },
       ErrorCode::kFormat, "the tensor overlaps"},
      {"T15_overlap_of_one_block", [](GgufBuilder& f) { f.tensors[1].offset = 32 * 4 * 4 - 32; }, ErrorCode::kFormat,
       "second: the tensor overlaps first"},
      {"T15_one_inside_another", [](GgufBuilder& f) { f.tensors[1].offset = 64; }, ErrorCode::kFormat,
       "second: the tensor overlaps first"},
      {"T16_data_missing",
       [](GgufBuilder& f) {
         for (auto& tensor : f.tensors) tensor.data.clear();
       },
       ErrorCode::kFormat, "first: the file is truncated"},
      {"T16_half_of_the_data", [](GgufBuilder& f) { f.tensors[2].data.resize(240); }, ErrorCode::kFormat,
       "third: the file is truncated"},
  };
}

INSTANTIATE_TEST_SUITE_P(Names, GgufTensors, testing::ValuesIn(name_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Shapes, GgufTensors, testing::ValuesIn(shape_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Places, GgufTensors, testing::ValuesIn(place_cases()), case_name);

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
