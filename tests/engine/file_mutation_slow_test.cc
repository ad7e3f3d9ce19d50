#include "engine/gguf_mutation.h"
#include "engine/pack_mutation.h"

namespace lfm::test {
namespace {

TEST(GgufMutation, EveryField) {
  const std::size_t files = mutate_gguf(1);
  EXPECT_GT(files, 6000u);
  RecordProperty("files", static_cast<int>(files));
}

TEST_F(PackMutation, EveryFieldWithChecksumsThatAreRight) {
  const std::size_t files = mutate_fields(1, true);
  EXPECT_GT(files, 6000u);
  RecordProperty("files", static_cast<int>(files));
}

TEST_F(PackMutation, EveryFieldOfTheHeaderAsItIs) {
  EXPECT_GT(mutate_fields(7, false), 1000u);
}

TEST_F(PackMutation, EveryPrefix) {
  EXPECT_GT(truncate(1), 30000u);
}

}  // namespace
}  // namespace lfm::test
