// One hash of all logits: for any number of threads, any run, and any cutting of the prompt (levels L1 and L2 of the
// promise), and whatever instruction set does the work.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <tuple>
#include <utility>

#include "base/checksum.h"
#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/isa.h"

namespace lfm::test {
namespace {

constexpr std::size_t kTokens = 40;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRuns = 1;  // slowly
#else
constexpr int kRuns = 3;
#endif
constexpr std::size_t kCuts = 20;

// Lengths of the pieces that a prompt is given in.
using Cut = std::vector<std::size_t>;

// The whole, single tokens, pieces shorter than the convolution's memory first, and random ones.
std::vector<Cut> cuts() {
  std::vector<Cut> all = {{kTokens}, Cut(kTokens, 1), {1, 1, kTokens - 2}, {2, 1, 1, kTokens - 4}, {kTokens - 1, 1}};
  std::mt19937 random(1);
  while (all.size() < kCuts) {
    Cut& cut = all.emplace_back();
    const std::size_t longest = 1 + random() % 20;
    for (std::size_t left = kTokens; left > 0; left -= cut.back())
      cut.push_back(std::min(left, 1 + random() % longest));
  }
  return all;
}

std::uint64_t hash_of(const Engine& engine, std::span<const TokenId> ids, const Cut& cut) {
  Session session = TinyEngine::new_session(engine);
  std::uint64_t hash = 0;
  const auto add = [&](std::span<const float> logits) { hash = base::checksum(std::as_bytes(logits), hash); };
  for (const std::size_t count : cut) {
    expect_ok(session.append(ids.first(count), add));
    ids = ids.subspan(count);
  }
  EXPECT_TRUE(ids.empty());
  for (const TokenId next : {3, 100, 200}) {
    expect_ok(session.append({&next, 1}));
    add(session.logits());
  }
  return hash;
}

TinyModel model_of(format::TensorType matrices) {
  TinyModel model;
  model.matrices = matrices;
  model.hidden = model.ffn_width = model.expert_width = 256;  // whole blocks of every type
  model.heads = 8;
  model.kv_heads = {0, 2, 0};
  return model;
}

class Hashes : public testing::TestWithParam<DenseBackend> {};

TEST_P(Hashes, ThreadsRunsAndCuts) {
  const TinyEngine tiny(model_of(format::TensorType::kQ4_0), {.threads = 1, .dense = GetParam()});
  const std::vector<TokenId> ids = random_tokens(kTokens, 1);
  const std::uint64_t expected = hash_of(tiny.engine(), ids, {kTokens});
  for (const unsigned threads : {1u, 2u, 3u, 4u, 7u, 16u}) {
    for (int run = 0; run < kRuns; ++run) {
      const Engine engine = tiny.open({.threads = threads, .dense = GetParam()});
      for (const Cut& cut : cuts()) {
        ASSERT_EQ(hash_of(engine, ids, cut), expected)
            << threads << " threads, run " << run << ", " << cut.size() << " pieces, the first of " << cut[0];
      }
    }
  }
}

// After every token of a hundred: what was saved goes on with the same bits, on as many threads as there happen to be.
TEST_P(Hashes, SavedAndRestoredAtAHundredPlaces) {
  constexpr std::size_t kPlaces = 100, kNext = 8;
  const TinyEngine tiny(model_of(format::TensorType::kQ4_0), {.threads = 1, .dense = GetParam()});
  const std::vector<Engine> engines = {tiny.engine(), tiny.open({.threads = 2, .dense = GetParam()}),
                                       tiny.open({.threads = 3, .dense = GetParam(), .chunk_tokens = 5})};
  const std::vector<TokenId> ids = random_tokens(kPlaces + kNext, 3);
  std::vector<float> expected;
  Session whole = tiny.session();
  const auto keep = [](std::vector<float>& all) {
    return [&all](std::span<const float> logits) { all.insert(all.end(), logits.begin(), logits.end()); };
  };
  expect_ok(whole.append(ids, keep(expected)));

  const TempFile file("");
  Session session = tiny.session();
  for (std::size_t n = 1; n <= kPlaces; ++n) {
    expect_ok(session.append(std::span(ids).subspan(n - 1, 1)));
    expect_ok(session.save(file.path()));
    Session restored = TinyEngine::new_session(engines[n % engines.size()]);
    expect_ok(restored.load(file.path()));
    std::vector<float> actual;
    expect_ok(restored.append(std::span(ids).subspan(n, kNext), keep(actual)));
    const std::size_t vocabulary = expected.size() / ids.size();
    ASSERT_EQ(actual.size(), kNext * vocabulary);
    ASSERT_EQ(std::memcmp(actual.data(), &expected[n * vocabulary], actual.size() * sizeof(float)), 0) << n;
  }
}

class HashesOfIsa : public testing::TestWithParam<std::tuple<DenseBackend, kernels::IsaInfo>> {};

TEST_P(HashesOfIsa, AreTheSame) {
  using enum format::TensorType;
  const auto& [dense, isa] = GetParam();
  LFM_SKIP_WITHOUT(isa.isa);
  for (const format::TensorType type : {kQ4_0, kQ8_0, kQ2_K, kQ3_K, kQ4_K, kQ6_K, kIQ4_NL, kIQ4_XS, kMXFP4, kF16}) {
    const TinyEngine tiny(model_of(type), {.threads = 1, .dense = dense});
    const std::vector<TokenId> ids = random_tokens(kTokens, 2);
    const std::uint64_t expected = hash_of(tiny.engine(), ids, {kTokens});
    const EnvironmentVariable forced("LFM_ISA", isa.name);
    const auto engine = Engine::open(tiny.path(), {.threads = 1, .dense = dense});
    ASSERT_TRUE(engine.ok()) << engine.error().describe();
    EXPECT_EQ(engine->info().isa, isa.name);
    EXPECT_EQ(hash_of(*engine, ids, {kTokens}), expected) << format::to_string(type);
  }
}

// Those types that no golden file has, as numbers: what was computed once is computed ever after.
TEST(HashesOfTypes, ArePinned) {
  using enum format::TensorType;
  constexpr std::pair<format::TensorType, std::uint64_t> kPinned[] = {{kQ2_K, 0x24b8ef9ccfc61151u},
                                                                      {kQ3_K, 0x6bfb92bd19fa0a14u},
                                                                      {kIQ4_NL, 0xd4ff6ad3c72d1e5du},
                                                                      {kIQ4_XS, 0xe4df9f17b6f22bf3u},
                                                                      {kMXFP4, 0x1798d5c268515d34u}};
  for (const auto& [type, expected] : kPinned) {
    const TinyEngine tiny(model_of(type), {.threads = 1, .dense = DenseBackend::kNative});
    EXPECT_EQ(hash_of(tiny.engine(), random_tokens(kTokens, 2), {kTokens}), expected) << format::to_string(type);
  }
}

std::string name_of(DenseBackend dense) {
  return dense == DenseBackend::kXnnpack ? "Xnnpack" : "Native";
}

constexpr DenseBackend kBackends[] = {DenseBackend::kXnnpack, DenseBackend::kNative};

INSTANTIATE_TEST_SUITE_P(Backends, Hashes, testing::ValuesIn(kBackends),
                         [](const auto& test) { return name_of(test.param); });
INSTANTIATE_TEST_SUITE_P(Isas, HashesOfIsa,
                         testing::Combine(testing::ValuesIn(kBackends), testing::ValuesIn(kernels::kIsas)),
                         [](const auto& test) {
                           return name_of(std::get<0>(test.param)) + "_" + std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace lfm::test
