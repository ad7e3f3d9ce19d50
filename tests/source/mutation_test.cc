// A quick sample of mutation_slow_test.cc.
#include "mutation.h"

#include <new>

namespace lfm::test {
namespace {

TEST(Mutation, EveryFieldOfTheSmallestModel) {
  EXPECT_GT(mutate_fields(smallest_model(), 1), 2000u);
}

TEST(Mutation, SomeFieldsOfATinyModel) {
  EXPECT_GT(mutate_fields(TinyModel{.matrices = format::TensorType::kQ8_0}, 41), 150u);
}

TEST(Mutation, PrefixesOfTheSmallestModel) {
  EXPECT_GT(truncate(smallest_model(), 97), 2000u);
}

// Fails each allocation in turn, alone and with all that follow: std::bad_alloc comes out, nothing is left behind.
TEST(Mutation, EveryAllocationFails) {
  const std::string file = smallest_model().build();
  for (const bool forever : {false, true}) {
    for (std::uint64_t n = 0;; ++n) {
      AllocMeter meter(n, forever);
      bool failed = false;
      try {
        const auto loaded = load(as_bytes(file));
        EXPECT_TRUE(loaded.ok());
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      EXPECT_EQ(meter.live_bytes(), 0) << n;
      if (!failed) {
        EXPECT_GT(n, 20u);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace lfm::test
