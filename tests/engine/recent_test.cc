// The cache of constraints, against a list that is searched from its front.
#include "api/recent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace lfm {
namespace {

TEST(Recent, KeepsWhatAModelOfItKeeps) {
  std::mt19937 random(17);
  for (std::size_t capacity = 0; capacity < 6; ++capacity) {
    Recent<int> recent(capacity);
    std::vector<std::pair<std::string, int>> model;  // the last used one behind
    for (int step = 0; step < 4'000; ++step) {
      const std::string key = std::to_string(random() % 9);
      const bool fails = random() % 4 == 0;
      const auto kept = std::find_if(model.begin(), model.end(), [&](const auto& entry) { return entry.first == key; });
      bool made = false;
      const auto got = recent.get(key, [&]() -> Result<int> {
        made = true;
        if (fails) return Error{ErrorCode::kLimit, "no"};
        return step;
      });
      ASSERT_EQ(made, kept == model.end()) << "capacity " << capacity << ", step " << step;
      if (made && fails) {
        ASSERT_FALSE(got.ok());
        EXPECT_EQ(got.error().code, ErrorCode::kLimit);
        continue;
      }
      ASSERT_TRUE(got.ok());
      const int expected = made ? step : kept->second;
      EXPECT_EQ(*got, expected);
      if (!made) model.erase(kept);
      model.emplace_back(key, expected);
      if (model.size() > capacity) model.erase(model.begin());
    }
  }
}

// What a key stands for is one value to all threads as long as all keys have room, and its own in any case.
TEST(Recent, ThreadsAreHandedOneValueForAKey) {
  constexpr std::size_t kKeys = 5, kThreads = 4;
  for (const std::size_t capacity : {kKeys, kKeys - 3}) {
    Recent<std::pair<std::size_t, int>> recent(capacity);
    std::atomic<int> made = 0;
    std::vector<std::vector<std::pair<std::size_t, int>>> seen(kThreads);
    std::atomic<bool> wrong = false;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(static_cast<unsigned>(t));
        for (int step = 0; step < 3'000; ++step) {
          const std::size_t key = random() % kKeys;
          const auto got = recent.get(std::to_string(key), [&]() -> Result<std::pair<std::size_t, int>> {
            return std::make_pair(key, made++);
          });
          if (!got.ok() || got->first != key) wrong = true;
          if (got.ok()) seen[t].push_back(*got);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(wrong);
    if (capacity < kKeys) continue;
    for (std::size_t key = 0; key < kKeys; ++key) {
      std::vector<int> values;
      for (const auto& one : seen)
        for (const auto& [of, value] : one)
          if (of == key) values.push_back(value);
      EXPECT_EQ(*std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end()))
          << key;
    }
  }
}

}  // namespace
}  // namespace lfm
