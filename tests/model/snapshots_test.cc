// Which states are kept: those asked for while there is room, then the ones that are missed most, and never without
// the one that somebody stands on.
#include "model/snapshots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "base/memory.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr std::size_t kFloats = 3;

model::Snapshots with_room_for(std::size_t slots) {
  return *model::Snapshots::create(kFloats, slots * kFloats * sizeof(float), 1u << 20);
}

void fill(std::span<float> out, std::size_t position) {
  ASSERT_EQ(out.size(), kFloats);
  std::fill(out.begin(), out.end(), static_cast<float>(position));
}

std::vector<std::size_t> positions(const model::Snapshots& snapshots) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < snapshots.size(); ++i) out.push_back(snapshots.at(i).position);
  return out;
}

TEST(Snapshots, NothingIsFoundBeforeTheFirst) {
  model::Snapshots snapshots = with_room_for(8);
  EXPECT_TRUE(snapshots.find(100).conv.empty());
  fill(snapshots.add(10), 10);
  EXPECT_TRUE(snapshots.find(9).conv.empty());
  EXPECT_EQ(snapshots.find(10).position, 10u);
  EXPECT_EQ(snapshots.find(11).position, 10u);
}

TEST(Snapshots, OneOfAPosition) {
  model::Snapshots snapshots = with_room_for(8);
  const float* const first = snapshots.add(5).data();
  EXPECT_EQ(snapshots.add(5).data(), first);
  EXPECT_EQ(snapshots.size(), 1u);
}

TEST(Snapshots, FourAtLeast) {
  model::Snapshots snapshots = with_room_for(0);
  for (std::size_t at = 1; at <= 4; ++at) fill(snapshots.add(at), at);
  EXPECT_EQ(positions(snapshots), (std::vector<std::size_t>{1, 2, 3, 4}));
  fill(snapshots.add(5), 5);
  EXPECT_EQ(snapshots.size(), 4u);
}

TEST(Snapshots, FarOnesThinOutFirst) {
  model::Snapshots snapshots = with_room_for(16);
  for (std::size_t at = 32; at <= 32 * 200; at += 32) fill(snapshots.add(at), at);
  const std::vector<std::size_t> kept = positions(snapshots);
  ASSERT_EQ(kept.size(), 16u);
  EXPECT_EQ(kept.back(), 32u * 200);
  EXPECT_EQ(kept[14], 32u * 199);
  EXPECT_LT(kept[0], 32u * 100);
}

// The chunk that comes asks for more states than there is room for; the one that it begins at stays all the same.
TEST(Snapshots, WhatIsToBeKeptIs) {
  for (const std::size_t slots : {0, 4, 5, 8, 40}) {
    for (std::size_t begin = 1; begin < 400; begin += 3) {
      model::Snapshots snapshots = with_room_for(slots);
      for (std::size_t at = 32; at < begin; at += 32) fill(snapshots.add(at), at);
      fill(snapshots.add(begin), begin);
      for (std::size_t at = (begin / 32 + 1) * 32; at <= begin + 512; at += 32) fill(snapshots.add(at, begin), at);
      ASSERT_EQ(snapshots.find(begin).position, begin) << slots << " slots";
      snapshots.drop_after(begin);
      ASSERT_EQ(positions(snapshots).back(), begin);
    }
  }
}

// Any sequence of calls beside a map from positions to what was written.
TEST(Snapshots, AreWhatWasWritten) {
  std::mt19937 random(3);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 50; ++round) {
    model::Snapshots snapshots = with_room_for(4 + below(20));
    std::map<std::size_t, float> written;
    for (int i = 0; i < 200; ++i) {
      const std::size_t last = written.empty() ? 0 : written.rbegin()->first;
      if (below(5) == 0) {
        const std::size_t back = below(last + 1);
        snapshots.drop_after(back);
        written.erase(written.upper_bound(back), written.end());
        EXPECT_TRUE(snapshots.size() == 0 || positions(snapshots).back() <= back);
      } else {
        const std::size_t at = last + below(40);
        const float value = static_cast<float>(random() % 1000);
        const std::span<float> out = snapshots.add(at);
        std::fill(out.begin(), out.end(), value);
        written[at] = value;
      }
      std::size_t before = 0;
      for (std::size_t n = 0; n < snapshots.size(); ++n) {
        const model::Snapshots::Found kept = snapshots.at(n);
        ASSERT_TRUE(n == 0 || kept.position > before);
        before = kept.position;
        ASSERT_TRUE(written.contains(kept.position));
        for (const float x : kept.conv) ASSERT_EQ(x, written[kept.position]);
        ASSERT_EQ(snapshots.find(kept.position).conv.data(), kept.conv.data());
      }
    }
  }
}

// A position has one state: as much as one likes costs no more than all of them.
TEST(Snapshots, AreBoundedByThePositions) {
  const auto before = base::peak_memory_bytes();
  auto snapshots = model::Snapshots::create(kFloats, std::size_t{1} << 46, 100);
  ASSERT_TRUE(snapshots.ok()) << snapshots.error().describe();
  for (std::size_t position = 1; position <= 100; ++position) snapshots->add(position);
  EXPECT_EQ(snapshots->size(), 100u);
  EXPECT_LT(base::peak_memory_bytes() - before, 16u << 20);
}

// More than there are addresses: fewer do.
TEST(Snapshots, DoWithLessMemory) {
  constexpr std::size_t kLarge = std::size_t{1} << 30;  // floats
  auto snapshots = model::Snapshots::create(kLarge, std::size_t{1} << 62, 1u << 20);
  ASSERT_TRUE(snapshots.ok()) << snapshots.error().describe();
  for (std::size_t position = 1; position <= 4; ++position) snapshots->add(position)[0] = 1;
  EXPECT_EQ(snapshots->size(), 4u);
}

}  // namespace
}  // namespace lfm::test
