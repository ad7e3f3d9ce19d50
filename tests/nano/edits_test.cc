// Edits of every kind in a network that means something.
#include <gtest/gtest.h>

#include "engine/random_edits.h"
#include "nano/nano.h"

namespace lfm::test {
namespace {

TEST(NanoEdits, AreFreshRuns) {
  RandomEdits(nano()).run();
}

}  // namespace
}  // namespace lfm::test
