// Which kernels the dense 4-bit matrices of a GGUF file are packed for.
#include <gtest/gtest.h>

#include "engine/load/model_parts.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using engine::ModelParts;

class DenseChoice : public testing::Test {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.matrices = format::TensorType::kQ4_0;
    auto parts = ModelParts::open(folder_.write("model.gguf", tiny.build()));
    ASSERT_TRUE(parts.ok()) << parts.error().describe();
    parts_.emplace(*std::move(parts));
  }

  bool takes_xnnpack(DenseBackend wanted) {
    auto choice = engine::choose_dense(parts_->model, wanted, notes_);
    EXPECT_TRUE(choice.ok());
    return choice.ok() && choice->has_value();
  }

  TempFolder folder_;
  std::optional<ModelParts> parts_;
  std::vector<std::string> notes_;
};

TEST_F(DenseChoice, IsWhatWasAskedFor) {
  const bool runs_here = ops::find_xnn_layout().ok();
  EXPECT_EQ(takes_xnnpack(DenseBackend::kXnnpack), runs_here);
  EXPECT_EQ(notes_.empty(), runs_here);
}

TEST_F(DenseChoice, IsNativeOtherwise) {
  EXPECT_FALSE(takes_xnnpack(DenseBackend::kNative));
  EXPECT_FALSE(takes_xnnpack(DenseBackend::kAuto));  // the same bits on every CPU
  EXPECT_TRUE(notes_.empty());
}

}  // namespace
}  // namespace lfm::test
