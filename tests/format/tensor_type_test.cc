#include "format/tensor_type.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace lfm::format {
namespace {

TEST(TensorType, NumbersOfTheFormat) {
  const std::pair<std::uint32_t, const char*> kKnown[] = {
      {0, "F32"},      {1, "F16"},     {2, "Q4_0"},     {3, "Q4_1"},   {6, "Q5_0"},    {7, "Q5_1"},   {8, "Q8_0"},
      {9, "Q8_1"},     {10, "Q2_K"},   {11, "Q3_K"},    {12, "Q4_K"},  {13, "Q5_K"},   {14, "Q6_K"},  {15, "Q8_K"},
      {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},
      {23, "IQ4_XS"},  {24, "I8"},     {25, "I16"},     {26, "I32"},   {27, "I64"},    {28, "F64"},   {29, "IQ1_M"},
      {30, "BF16"},    {34, "TQ1_0"},  {35, "TQ2_0"},   {39, "MXFP4"}, {40, "NVFP4"},  {41, "Q1_0"}};
  std::size_t known = 0;
  for (std::uint32_t number = 0; number < 1000; ++number) known += tensor_type(number).has_value() ? 1 : 0;
  EXPECT_EQ(known, std::size(kKnown));
  for (const auto& [number, name] : kKnown) {
    ASSERT_TRUE(tensor_type(number).has_value()) << name;
    EXPECT_EQ(static_cast<std::uint32_t>(*tensor_type(number)), number);
    EXPECT_STREQ(to_string(*tensor_type(number)), name);
  }
  EXPECT_FALSE(tensor_type(std::numeric_limits<std::uint32_t>::max()));
}

TEST(TensorType, RowBytes) {
  EXPECT_EQ(row_bytes(TensorType::kQ4_0, 2048), 2048u / 32 * 18);
  EXPECT_EQ(row_bytes(TensorType::kQ6_K, 2048), 2048u / 256 * 210);
  EXPECT_EQ(row_bytes(TensorType::kF32, 3), 12u);
  EXPECT_EQ(row_bytes(TensorType::kQ4_0, 2047), std::nullopt);
  EXPECT_EQ(row_bytes(TensorType::kQ4_K, 2016), std::nullopt);
  EXPECT_EQ(row_bytes(TensorType::kF32, std::uint64_t{1} << 62), std::nullopt);
  EXPECT_EQ(row_bytes(TensorType::kQ8_0, std::uint64_t{1} << 63), (std::uint64_t{1} << 58) * 34);
}

}  // namespace
}  // namespace lfm::format
