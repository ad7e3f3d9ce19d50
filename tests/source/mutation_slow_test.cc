#include "mutation.h"

namespace lfm::test {
namespace {

TEST(MutationSlow, EveryFieldOfATinyModel) {
  std::size_t files = 0;
  for (const bool moe : {false, true}) {
    files += mutate_fields(TinyModel{.moe = moe, .matrices = format::TensorType::kQ8_0}, 1);
    files += mutate_fields(TinyModel{.moe = moe, .vocab = 270, .matrices = format::TensorType::kF16}, 1);
  }
  EXPECT_GT(files, 25000u);
  RecordProperty("files", static_cast<int>(files));
}

TEST(MutationSlow, EveryPrefix) {
  EXPECT_GT(truncate(smallest_model(), 1), 8192u);
  EXPECT_GT(truncate(TinyModel{.matrices = format::TensorType::kQ4_0}, 61), 8192u);
}

// Each byte before the data becomes 0, 255, one more and one less.
TEST(MutationSlow, EveryByte) {
  const std::string whole = smallest_model().build();
  const std::size_t header = format::Gguf::parse(as_bytes(whole))->data_offset();
  for (std::size_t i = 0; i < header; ++i) {
    for (const char byte : {'\0', '\xff', static_cast<char>(whole[i] + 1), static_cast<char>(whole[i] - 1)}) {
      std::string file = whole;
      file[i] = byte;
      expect_clean(file, "byte " + std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace lfm::test
