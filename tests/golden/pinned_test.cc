// Bits that are written down: of one machine, compiler, C library and instruction set they are those of every other.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "golden/golden_data.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/isa.h"
#include "support/temp_file.h"

namespace lfm::test {
namespace {

constexpr std::size_t kTokens = 64;

// Of the logits of every token, FNV-1a.
std::uint64_t hash_of(const std::string& path, std::span<const TokenId> ids, unsigned threads) {
  const auto engine = Engine::open(path, {.threads = threads, .dense = DenseBackend::kNative});
  EXPECT_TRUE(engine.ok()) << engine.error().describe();
  auto session = engine->new_session();
  EXPECT_TRUE(session.ok()) << session.error().describe();
  std::uint64_t hash = 14695981039346656037u;
  expect_ok(session->append(ids, [&](std::span<const float> logits) {
    for (const float logit : logits) hash = (hash ^ std::bit_cast<std::uint32_t>(logit)) * 1099511628211u;
  }));
  return hash;
}

struct Bits {
  std::string file;
  std::uint64_t hash;
};

void PrintTo(const Bits& bits, std::ostream* out) {
  *out << bits.file;
}

const Bits kPinned[] = {
    {"nano", 0xc2b5765e955e8d21u},       {"moe-q4_k_m", 0xda9008bfab14e30bu}, {"moe-f16", 0x62cae4c7c52875e4u},
    {"moe-q4_0", 0x6fa782d5a06a22cu},    {"moe-q5_k_m", 0x95e48f6fade7d870u}, {"moe-q6_k", 0x4db7cfdeb8c30b19u},
    {"moe-q8_0", 0x9b3926012429ec02u},   {"odd-q4_0", 0x870b0a2cf088bb49u},   {"odd-q4_1", 0xa50413bc141a39e4u},
    {"dense-q4_0", 0x808830d241fb7c9au}, {"dense-q5_0", 0x24886428858b540cu}, {"dense-bf16", 0xaec779cdd3ce1824u},
};

class Pinned : public testing::TestWithParam<std::tuple<Bits, kernels::IsaInfo>> {};

TEST_P(Pinned, LogitsOnOneTwoAndThreeThreads) {
  const auto& [bits, isa] = GetParam();
  LFM_SKIP_WITHOUT(isa.isa);
  const EnvironmentVariable forced("LFM_ISA", isa.name);
  std::string path = LFM_NANO "/lfm2-nano-q4_0.gguf";
  std::vector<TokenId> ids;
  std::optional<TempFile> file;
  if (bits.file == "nano") {
    for (std::size_t i = 0; i < kTokens; ++i) ids.push_back(static_cast<TokenId>(1 + i * 37 % 400));
  } else {
    const Golden golden = read_golden(LFM_GOLDEN_DATA "/" + bits.file + ".golden");
    ids = golden.prompts.front().ids;
    ids.resize(std::min(kTokens, ids.size()));
    path = file.emplace(golden.gguf).path();
  }
  for (const unsigned threads : {1u, 2u, 3u}) EXPECT_EQ(hash_of(path, ids, threads), bits.hash) << threads;
}

INSTANTIATE_TEST_SUITE_P(Files, Pinned, testing::Combine(testing::ValuesIn(kPinned), testing::ValuesIn(kernels::kIsas)),
                         [](const auto& test) {
                           std::string name = std::get<0>(test.param).file + "_" + std::get<1>(test.param).name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace lfm::test
