#include "format/gguf_writer.h"

#include <gtest/gtest.h>

#include "format/gguf.h"
#include "support/gguf_builder.h"

namespace lfm::format {
namespace {

// What is written is read again as it was.
TEST(GgufWriter, WritesWhatTheReaderReads) {
  GgufWriter writer;
  writer.set_u32("n", 7);
  writer.set_u64("wide", std::uint64_t{1} << 40);
  writer.set_f32("x", 0.5f);
  writer.set_bool("yes", true);
  writer.set_string("name", "a name");
  const std::vector<std::string> texts = {"one", "", "three"};
  writer.set_strings("texts", texts);
  const std::vector<std::int32_t> numbers = {0, -2, 3};
  writer.set_i32s("numbers", numbers);
  writer.set_u32("n", 8);
  const std::uint64_t dims[] = {64, 3};
  writer.add_tensor("a", TensorType::kQ4_0, dims);
  writer.add_tensor("b", TensorType::kF32, std::span(dims).first(1));
  const GgufWriter::Layout layout = writer.layout();
  const std::string file = layout.header + std::string(layout.file_bytes - layout.header.size(), '\0');
  const auto gguf = Gguf::parse(test::as_bytes(file));
  ASSERT_TRUE(gguf.ok()) << gguf.error().describe();
  const Metadata& keys = gguf->metadata();
  EXPECT_EQ(*keys.require_unsigned("n"), 8u);
  EXPECT_EQ(*keys.require_unsigned("wide"), std::uint64_t{1} << 40);
  EXPECT_EQ(*keys.require_float("x"), 0.5);
  EXPECT_EQ(*keys.find_bool("yes"), true);
  EXPECT_EQ(*keys.require_string("name"), "a name");
  EXPECT_EQ(keys.require_strings("texts")->size(), 3u);
  EXPECT_EQ(*keys.require_integers("numbers"), numbers);
  ASSERT_EQ(gguf->tensors().size(), 2u);
  EXPECT_EQ(gguf->tensors()[0].offset, layout.offsets[0]);
  EXPECT_EQ(gguf->tensors()[0].bytes, 3u * 2 * 18);
  EXPECT_EQ(gguf->tensors()[1].offset, layout.offsets[1]);

  GgufWriter copy;
  copy.copy(keys);
  for (const TensorInfo& tensor : gguf->tensors())
    copy.add_tensor(tensor.name, tensor.type, std::span(tensor.dims).first(tensor.rank));
  EXPECT_EQ(copy.layout().header, layout.header);
}

}  // namespace
}  // namespace lfm::format
