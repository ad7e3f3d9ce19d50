// Which tensors get more bits.
#include <gtest/gtest.h>

#include <filesystem>

#include "lfm/inspect.h"
#include "lfm/quantize.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

class Mixed : public testing::Test {
 protected:
  Mixed() {
    for (int i = 0; i < 30; ++i) options_.calibration += "Line " + std::to_string(i) + " of what is said. ";
    options_.calibration_tokens = 300;
    options_.method = QuantizeMethod::kNoData;
    options_.overwrite = true;
  }
  std::string build() {
    TinyModel tiny;
    tiny.hidden = 256;
    tiny.expert_width = 256;
    return files_.write("tiny.gguf", tiny.build());
  }
  QuantizeInfo write() {
    const auto info = quantize_model(model_, out_, options_);
    EXPECT_TRUE(info.ok()) << info.error().describe();
    return info.ok() ? *info : QuantizeInfo{};
  }

  TempFolder files_;
  const std::string model_ = build(), out_ = files_.path("out.gguf");
  QuantizeOptions options_;
};

TEST_F(Mixed, SpendsWhatItMayOnWhatCausesMost) {
  const QuantizeInfo without = write();
  EXPECT_TRUE(without.mix.empty());
  options_.mix = Mix::kAuto;
  const QuantizeInfo with = write();
  ASSERT_FALSE(with.mix.empty());
  EXPECT_GT(with.mix_divergence, 0);
  EXPECT_GT(with.weight_bytes, without.weight_bytes);
  EXPECT_LE(with.weight_bytes, without.weight_bytes + without.weight_bytes / 20);
  std::uint64_t more = 0;
  double before = with.mix.front().divergence;
  const auto file = inspect(out_);
  ASSERT_TRUE(file.ok());
  for (const MixedTensor& tensor : with.mix) {
    more += tensor.more_bytes;
    EXPECT_LE(tensor.divergence, before);
    before = tensor.divergence;
    EXPECT_EQ(tensor.more_bytes > 0, tensor.gain > 0) << tensor.name;
    EXPECT_LE(tensor.gain, std::max(0.0, tensor.divergence) + 1e-12);
    const auto at = std::ranges::find(file->tensors, tensor.name, &TensorDescription::name);
    ASSERT_NE(at, file->tensors.end());
    EXPECT_EQ(at->type, tensor.type) << tensor.name;
    EXPECT_EQ(tensor.type == "Q4_0", tensor.more_bytes == 0) << tensor.name;
  }
  EXPECT_EQ(with.weight_bytes, without.weight_bytes + more);
  const std::string bytes = read_all(out_);
  options_.threads = 3;
  write();
  EXPECT_TRUE(read_all(out_) == bytes);  // from any number of threads
}

TEST_F(Mixed, TakesBitsAWeight) {
  options_.mix = Mix::kBits;
  options_.mix_bits = 6;
  const QuantizeInfo info = write();
  const double bits = 8 * static_cast<double>(info.weight_bytes) / static_cast<double>(info.parameters);
  EXPECT_LE(bits, 6);
  EXPECT_GT(bits, 5.5);
  options_.mix_bits = 4;
  expect_error(quantize_model(model_, out_, options_), ErrorCode::kArgument, "bits a weight already");
}

TEST_F(Mixed, LeavesNothingBehindWhereItIsStopped) {
  options_.mix = Mix::kAuto;
  options_.progress = [](QuantizePhase phase, double) { return phase != QuantizePhase::kMeasuring; };
  expect_error(quantize_model(model_, out_, options_), ErrorCode::kCancelled, "stopped");
  EXPECT_EQ(files_.files().size(), 1u);
}

}  // namespace
}  // namespace lfm::test
