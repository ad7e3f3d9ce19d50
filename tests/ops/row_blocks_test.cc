// Who gets which row tiles of the matrices of a phase.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "float_ops.h"
#include "ops/linear.h"

namespace lfm::ops {
namespace {

TEST(RowBlocks, HaveEveryTileOnce) {
  Workspace workspace = *Workspace::create({.threads = 5, .hidden = 16, .widest_input = 16, .widest_output = 16});
  const std::vector<std::vector<std::size_t>> phases = {{1}, {0, 2}, {4}, {5, 3, 9}, {128}, {33, 0, 1, 70}, {}};
  for (const unsigned threads : {1u, 2u, 5u}) {
    base::Team team = *base::Team::create(threads);
    for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, std::size_t{300}}) {
      for (const std::vector<std::size_t>& counts : phases) {
        std::vector<std::vector<std::atomic<int>>> times;
        for (const std::size_t tiles : counts) times.emplace_back(tiles);
        std::atomic<int> wrong{0};
        team.run([&](base::Worker& worker) {
          const Context c{kernels::table(kernels::Isa::kScalar), worker, workspace, nullptr, rows};
          for_row_blocks(c, std::span(counts), [&](std::size_t which, base::Range tiles) {
            if (tiles.begin >= tiles.end || (rows > 1 && tiles.end - tiles.begin > kMaxColumnTiles)) ++wrong;
            for (std::size_t i = tiles.begin; i < tiles.end; ++i) ++times[which][i];
          });
        });
        EXPECT_EQ(wrong, 0);
        for (const auto& matrix : times) {
          for (const std::atomic<int>& count : matrix) EXPECT_EQ(count, 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace lfm::ops
