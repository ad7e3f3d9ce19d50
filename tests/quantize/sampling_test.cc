// Texts that a network writes itself.
#include "quantize/sampling.h"

#include <gtest/gtest.h>

#include "base/try.h"
#include "engine/load/load.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::quantize {
namespace {

class Sampling : public testing::Test {
 protected:
  Result<Texts> sample(
      unsigned threads, std::size_t tokens, std::size_t window,
      const std::function<bool(double)>& progress = [](double) { return true; }) {
    EngineOptions options;
    options.threads = threads;
    LFM_ASSIGN(const auto model, engine::load_model(path_, options));
    return sample_texts(*model->runtime, model->weights, model->config, model->tokenizer, tokens, window, progress);
  }
  test::TempFolder folder_;
  const std::string path_ = folder_.write("tiny.gguf", test::TinyModel().build());
};

TEST_F(Sampling, IsTheSameFromAnyNumberOfThreads) {
  double last = 0;
  const auto one = sample(1, 1000, 220, [&](double part) {
    EXPECT_GE(part, last);
    last = part;
    return true;
  });
  const auto three = sample(3, 1000, 220);
  ASSERT_TRUE(one.ok() && three.ok()) << (one.ok() ? "" : one.error().describe());
  EXPECT_EQ(*one, *three);
  EXPECT_EQ(one->size(), 5u);
  for (const auto& text : *one) EXPECT_EQ(text.size(), 220u);
  EXPECT_NE((*one)[0], (*one)[2]);  // which begin alike
}

TEST_F(Sampling, RefusesAndStops) {
  test::expect_error(sample(1, 100, 4), ErrorCode::kUnsupported, "too short");
  test::expect_error(sample(2, 100000, 700, [](double) { return false; }), ErrorCode::kCancelled, "stopped");
}

}  // namespace
}  // namespace lfm::quantize
