// A product that XNNPACK doesn't compute isn't taken for one that it did.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/memory.h"
#include "ops/linear.h"
#include "ops/xnn_linear.h"
#include "tests/ops/float_ops.h"

namespace lfm::ops {
namespace {

TEST(XnnFailure, GivesNumbersThatAreNone) {
  const auto layout = find_xnn_layout();
  if (!layout.ok()) GTEST_SKIP() << layout.error().message;
  constexpr std::size_t kColumns = 64, kRows = 32, kTokens = 2;
  Matrix matrix{kRows, kColumns, *layout, nullptr};
  auto packed = base::Memory::allocate(matrix.bytes());
  ASSERT_TRUE(packed.ok());
  matrix.data = packed->data();
  auto worker = XnnWorker::create(*layout);  // made ready for nothing
  ASSERT_TRUE(worker.ok());
  OnATeam team({.max_tokens = kTokens, .hidden = kColumns, .widest_input = kColumns, .widest_output = kRows});
  std::vector<float> out(kTokens * kRows, 1.0f);
  team.run(kTokens, [&](const Context& c) {
    if (c.worker.index() != 0) return;
    Context with = c;
    with.xnn = &*worker;
    linear(with, matrix, {{0, matrix.tiles()}}, c.workspace.shared, out.data(), kRows);
  });
  for (const float x : out) EXPECT_TRUE(std::isnan(x));
}

}  // namespace
}  // namespace lfm::ops
