// A quick sample of file_mutation_slow_test.cc.
#include <random>

#include "engine/gguf_mutation.h"
#include "engine/pack_mutation.h"

namespace lfm::test {
namespace {

TEST(GgufMutation, SomeFields) {
  EXPECT_GT(mutate_gguf(7), 900u);
}

TEST_F(PackMutation, SomeFields) {
  EXPECT_GT(mutate_fields(23, true), 500u);
  EXPECT_GT(mutate_fields(203, false), 200u);
}

TEST_F(PackMutation, SomePrefixes) {
  EXPECT_GT(truncate(61), 500u);
}

// Weights that are any bytes whatever: NaN, infinities, indices that no router gave.
TEST_F(PackMutation, RandomWeights) {
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    std::string bytes = whole_;
    for (std::size_t at = places_.weights_offset; at < bytes.size(); ++at) {
      if (round < 20 || random() % 256 == 0) bytes[at] = static_cast<char>(round == 0 ? 0xff : random());
    }
    mend(bytes);
    folder_.write("model.lfm", bytes);
    EXPECT_TRUE(expect_clean("round " + std::to_string(round)));
  }
}

}  // namespace
}  // namespace lfm::test
