// Caches that share pages: each keeps what it wrote, whatever the others do.
#include "model/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "kernels/table.h"
#include "support/expect.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using kernels::kKvBlock;
using model::KvCache;

constexpr std::size_t kCapacity = 10 * kKvBlock;

const model::Config& config() {
  static const Result<Loaded> loaded = load([] {
    TinyModel model;
    model.kv_heads = {0, 1, 2, 0};
    return model;
  }()
                                                .builder());
  return loaded->config;
}

KvCache new_cache() {
  return *KvCache::create(config(), kCapacity, kernels::KvFormat{});
}

// A key and a value of whole numbers, which f16 holds, in every layer and head.
void write(KvCache& cache, std::size_t position, float number) {
  const std::vector<float> row(config().head_dim, number);
  for (std::size_t i = 0; i < config().layers.size(); ++i) {
    const ops::KvLayer layer = cache.layer(i);
    for (std::size_t head = 0; head < config().layers[i].kv_heads; ++head) {
      std::byte* const block = layer.pages[position / kKvBlock] + layer.offset + head * layer.block_bytes;
      kernels::scalar::kAttention.of({}).append(row.data(), row.data(), position % kKvBlock, row.size(), block);
    }
  }
}

// The number at a position; none where keys and values of the layers don't agree.
std::optional<float> read(const KvCache& cache, std::size_t position) {
  std::set<std::uint16_t> found;
  const std::size_t head_dim = config().head_dim, slot = position % kKvBlock;
  for (std::size_t i = 0; i < config().layers.size(); ++i) {
    const ops::KvLayer layer = cache.layer(i);
    for (std::size_t head = 0; head < config().layers[i].kv_heads; ++head) {
      const std::byte* const block = layer.pages[position / kKvBlock] + layer.offset + head * layer.block_bytes;
      const auto* halves = reinterpret_cast<const std::uint16_t*>(block);
      for (std::size_t d = 0; d < head_dim; ++d) {
        found.insert(halves[d * kKvBlock + slot]);
        found.insert(halves[(kKvBlock + slot) * head_dim + d]);
      }
    }
  }
  if (found.size() != 1) return std::nullopt;
  const std::uint16_t half = *found.begin();
  return half == 0 ? 0.0f : std::ldexp(static_cast<float>(1024 + (half & 1023)), (half >> 10) - 25);
}

void append(KvCache& cache, std::size_t begin, std::size_t end, float number) {
  expect_ok(cache.own(begin, end));
  for (std::size_t at = begin; at < end; ++at) write(cache, at, number);
}

void expect_holds(const KvCache& cache, std::size_t begin, std::size_t end, float number) {
  for (std::size_t at = begin; at < end; ++at) ASSERT_EQ(read(cache, at), number) << "at " << at;
}

TEST(KvCache, SizesAreTheFormats) {
  const KvCache cache = new_cache();
  EXPECT_EQ(cache.page_bytes(), 3 * kernels::kv_block_bytes(kernels::KvFormat{}, config().head_dim));
  EXPECT_EQ(cache.page_bytes(), config().kv_bytes_per_position() * kKvBlock);
}

// Whatever the format, a page that is copied has what its first positions have, and zeros behind them; what isn't a
// number is found.
TEST(KvCache, CopiesPagesOfEveryFormat) {
  constexpr kernels::KvType kTypes[] = {kernels::KvType::kF16, kernels::KvType::kQ8_0};
  for (const kernels::KvType keys : kTypes) {
    for (const kernels::KvType values : kTypes) {
      const kernels::KvFormat format{keys, values};
      SCOPED_TRACE(testing::Message() << to_string(keys) << " " << to_string(values));
      KvCache cache = *KvCache::create(config(), kCapacity, format);
      expect_ok(cache.own(0, kKvBlock));
      std::mt19937 random(1);
      const auto row = [&] {
        std::vector<float> out(config().head_dim);
        for (float& x : out) x = 1.0f + static_cast<float>(random() % 1000) / 1000;
        return out;
      };
      std::vector<std::byte> expected;
      for (const std::size_t positions : {std::size_t{1}, std::size_t{2}, std::size_t{37}, kKvBlock}) {
        // First what isn't to be seen, of which all is above 0.
        for (const std::size_t written : {kKvBlock, positions}) {
          random.seed(2);
          if (written == positions) {
            expected.assign(cache.page_bytes(), std::byte{0});
          }
          for (std::size_t position = 0; position < written; ++position) {
            for (std::size_t i = 0; i < config().layers.size(); ++i) {
              const ops::KvLayer layer = cache.layer(i);
              for (std::size_t head = 0; head < config().layers[i].kv_heads; ++head) {
                const std::vector<float> key = row(), value = row();
                const std::size_t at = layer.offset + head * layer.block_bytes;
                std::byte* const page = written == positions ? expected.data() : cache.page(0);
                kernels::scalar::kAttention.of(format).append(key.data(), value.data(), position, key.size(),
                                                              page + at);
              }
            }
          }
        }
        std::vector<std::byte> copy(cache.page_bytes(), std::byte{7});
        cache.copy_page(0, positions, copy.data());
        EXPECT_EQ(copy, expected);
      }
      EXPECT_EQ(cache.find_not_finite(cache.page(0)), std::nullopt);
      const std::vector<float> good(config().head_dim, 1.0f), bad(config().head_dim, std::nanf(""));
      const ops::KvLayer layer = cache.layer(2);
      std::byte* const block = cache.page(0) + layer.offset + layer.block_bytes;  // of its second head
      const auto* const kernels = &kernels::scalar::kAttention.of(format);
      kernels->append(good.data(), bad.data(), 5, good.size(), block);
      const auto found = cache.find_not_finite(cache.page(0));
      ASSERT_TRUE(found.has_value());
      EXPECT_GE(cache.page(0) + *found, block + kernels::key_block_bytes(format, config().head_dim));
      kernels->append(bad.data(), good.data(), 5, good.size(), block);
      EXPECT_LT(cache.page(0) + *cache.find_not_finite(cache.page(0)),
                block + kernels::key_block_bytes(format, config().head_dim));
    }
  }
}

TEST(KvCache, SharingCopiesNothing) {
  KvCache one = new_cache(), other = new_cache();
  append(one, 0, 150, 3);
  other = one.fork(150);
  for (std::size_t i = 0; i < KvCache::pages_of(150); ++i) EXPECT_EQ(one.page(i), other.page(i));
  expect_holds(other, 0, 150, 3);
}

TEST(KvCache, WhoWritesGetsAPageOfItsOwn) {
  KvCache one = new_cache(), other = new_cache();
  append(one, 0, 150, 3);
  other = one.fork(150);
  append(other, 150, 200, 5);
  EXPECT_EQ(one.page(1), other.page(1));
  EXPECT_NE(one.page(2), other.page(2));
  const std::byte* const page = one.page(2);
  append(one, 150, 160, 7);
  EXPECT_EQ(one.page(2), page);  // nobody else has it any more
  expect_holds(other, 0, 150, 3);
  expect_holds(other, 150, 200, 5);
  expect_holds(one, 0, 150, 3);
  expect_holds(one, 150, 160, 7);
}

TEST(KvCache, GoingBackInASharedPastHarmsNobody) {
  KvCache one = new_cache(), other = new_cache();
  append(one, 0, kCapacity, 3);
  other = one.fork(kCapacity);
  append(one, 10, kCapacity, 4);  // all its pages are the other's too, and its memory is full
  expect_holds(other, 0, kCapacity, 3);
  expect_holds(one, 0, 10, 3);
  expect_holds(one, 10, kCapacity, 4);
}

TEST(KvCache, PagesOutliveTheCacheTheyCameFrom) {
  KvCache other = new_cache();
  {
    KvCache one = new_cache();
    append(one, 0, 100, 9);
    other = one.fork(100);
  }
  append(other, 100, 130, 2);
  expect_holds(other, 0, 100, 9);
  expect_holds(other, 100, 130, 2);
}

// What two wrote alike is there once, in whole pages.
TEST(KvCache, AdoptsWhatIsTheSame) {
  KvCache one = new_cache(), other = new_cache();
  append(one, 0, 3 * kKvBlock, 4);
  append(other, 0, 200, 4);
  other.adopt(one, 130);
  EXPECT_EQ(one.page(0), other.page(0));
  EXPECT_EQ(one.page(1), other.page(1));
  EXPECT_NE(one.page(2), other.page(2));
  append(one, 10, 100, 6);
  expect_holds(other, 0, 200, 4);
  expect_holds(one, 10, 100, 6);
}

TEST(KvCache, CopiesOfPagesEndInZeros) {
  KvCache cache = new_cache();
  append(cache, 0, 2 * kKvBlock, 6);
  KvCache copy = new_cache();
  append(copy, 0, 2 * kKvBlock, 1);
  for (const std::size_t positions : {1, 17, 63, 64, 100}) {
    cache.copy_page(1, positions, copy.page(1));
    expect_holds(copy, kKvBlock, std::min(2 * kKvBlock, kKvBlock + positions), 6);
    if (positions < kKvBlock) expect_holds(copy, kKvBlock + positions, 2 * kKvBlock, 0);
  }
}

// Any appends, steps back, shares and ends of a few caches beside lists of what each holds.
TEST(KvCache, EachHoldsWhatItWrote) {
  std::mt19937 random(8);
  const auto below = [&](std::size_t n) { return random() % n; };
  struct Sequence {
    KvCache cache = new_cache();
    std::vector<float> numbers = {};
  };
  std::vector<Sequence> sequences(4);
  for (int step = 0; step < 600; ++step) {
    Sequence& one = sequences[below(4)];
    switch (below(5)) {
      case 0:
        one.numbers.resize(below(one.numbers.size() + 1));
        break;
      case 1: {
        const Sequence& other = sequences[below(4)];
        if (&other == &one) break;
        one.cache = other.cache.fork(other.numbers.size());
        one.numbers = other.numbers;
        break;
      }
      case 2:
        if (below(4) == 0) one = {};
        break;
      default: {
        const std::size_t begin = one.numbers.size(), end = std::min(kCapacity, begin + below(150));
        const auto number = static_cast<float>(1 + below(1000));
        append(one.cache, begin, end, number);
        one.numbers.resize(end, number);
      }
    }
    const Sequence& looked_at = sequences[below(4)];
    for (std::size_t at = 0; at < looked_at.numbers.size(); at += 1 + below(20)) {
      ASSERT_EQ(read(looked_at.cache, at), looked_at.numbers[at]) << "step " << step << ", at " << at;
    }
  }
}

TEST(KvCache, OnThreadsOfTheirOwn) {
  KvCache first = new_cache();
  append(first, 0, 200, 3);
  std::vector<KvCache> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(first.fork(200));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&others, i] {
      const auto number = static_cast<float>(10 + i);
      append(others[i], 30 * i + 10, 300, number);
      expect_holds(others[i], 0, 30 * i + 10, 3);
      expect_holds(others[i], 30 * i + 10, 300, number);
      if (i % 2 == 0) others[i] = new_cache();
    });
  }
  append(first, 200, 210, 4);
  for (std::thread& thread : threads) thread.join();
  expect_holds(first, 0, 200, 3);
  expect_holds(first, 200, 210, 4);
}

}  // namespace
}  // namespace lfm::test
