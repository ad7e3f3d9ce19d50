#include "source/weight_format.h"

#include <gtest/gtest.h>

#include "kernels/matmul/pack.h"

namespace lfm::source {
namespace {

TEST(WeightFormat, WhatTheKernelsRun) {
  std::size_t blocks = 0, floats = 0;
  for (std::uint32_t number = 0; number < 64; ++number) {
    const auto type = format::tensor_type(number);
    const auto format = type ? weight_format(*type) : std::nullopt;
    if (!format) continue;
    const bool is_float = std::holds_alternative<kernels::FloatFormat>(*format);
    (is_float ? floats : blocks) += 1;
    EXPECT_EQ(is_float, format::block_columns(*type) == 1);
    EXPECT_STREQ(std::visit([](auto form) { return info(form).name; }, *format), to_string(*type));
    // The kernels' own idea of a row is the file's.
    const auto bytes = std::visit([](auto form) { return kernels::gguf_row_bytes(form, 512); }, *format);
    EXPECT_EQ(bytes, format::row_bytes(*type, 512)) << to_string(*type);
  }
  EXPECT_EQ(blocks, kernels::kBlockFormatCount);
  EXPECT_EQ(floats, kernels::kFloatFormatCount);
}

}  // namespace
}  // namespace lfm::source
