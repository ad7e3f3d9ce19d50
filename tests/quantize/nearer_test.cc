// What quantising gains over rounding, on little text: rotated_test.cc measures on more.
#include "quality_fixture.h"

namespace lfm::test {
namespace {

constexpr std::size_t kMeasured = 2000, kCalibrated = 3000;

class Nearer : public Quality {
 protected:
  explicit Nearer(const std::string& bytes) : Quality(bytes, kMeasured) {}

  // Relative to llama-quantize's Q4_0.
  double relative(QuantizeMethod method, WeightType type) {
    if (plain_ == 0) plain_ = divergence(files_.write("plain.gguf", rounded_by_the_largest(read_all(float_))));
    QuantizeOptions options;
    options.method = method;
    options.type = type;
    if (method != QuantizeMethod::kNoData) {
      options.calibration = joined(false);
      options.calibration_tokens = kCalibrated;
    }
    return divergence(options) / plain_;
  }

 private:
  double plain_ = 0;
};

class TrainedNetwork : public Nearer {
 protected:
  TrainedNetwork() : Nearer(rotated_model(read_all(kNano), 8)) {}
};

// The worst case for all that looks at inputs.
class RandomNetwork : public Nearer {
 protected:
  RandomNetwork() : Nearer(random_matrices(rotated_model(read_all(kNano), 7))) {}
};

TEST_F(TrainedNetwork, IsNearer) {
  EXPECT_LT(relative(QuantizeMethod::kNoData, WeightType::kQ4_0), 0.85);
  EXPECT_LT(relative(QuantizeMethod::kOneStream, WeightType::kQ4_0), 0.7);  // by so few tokens
  EXPECT_LT(relative(QuantizeMethod::kTwoStreams, WeightType::kQ4_0), 0.5);
}

TEST_F(RandomNetwork, IsNearer) {
  EXPECT_LT(relative(QuantizeMethod::kNoData, WeightType::kQ4_0), 0.93);
  EXPECT_LT(relative(QuantizeMethod::kOneStream, WeightType::kQ4_0), 0.74);
  EXPECT_LT(relative(QuantizeMethod::kTwoStreams, WeightType::kQ4_0), 0.66);
  EXPECT_LT(relative(QuantizeMethod::kTwoStreams, WeightType::kIQ4_NL), 0.57);
}

}  // namespace
}  // namespace lfm::test
