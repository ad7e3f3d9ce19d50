// Bits that are written down: of one machine, compiler, C library and instruction set they are those of every other.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>

#include "golden/golden_data.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/isa.h"
#include "support/temp_file.h"

namespace lfm::test {
namespace {

constexpr std::size_t kTokens = 64;

// Of the logits of every token, FNV-1a.
std::uint64_t hash_of(const std::string& path, std::span<const TokenId> ids) {
  const auto engine = Engine::open(path, {.threads = 2, .dense = DenseBackend::kNative});
  EXPECT_TRUE(engine.ok()) << engine.error().describe();
  auto session = engine->new_session();
  EXPECT_TRUE(session.ok()) << session.error().describe();
  std::uint64_t hash = 14695981039346656037u;
  expect_ok(session->append(ids, [&](std::span<const float> logits) {
    for (const float logit : logits) hash = (hash ^ std::bit_cast<std::uint32_t>(logit)) * 1099511628211u;
  }));
  return hash;
}

class Pinned : public testing::TestWithParam<kernels::IsaInfo> {
 protected:
  void SetUp() override { LFM_SKIP_WITHOUT(GetParam().isa); }
  const EnvironmentVariable isa_{"LFM_ISA", GetParam().name};
};

TEST_P(Pinned, Nano) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < kTokens; ++i) ids.push_back(static_cast<TokenId>(1 + i * 37 % 400));
  EXPECT_EQ(hash_of(LFM_NANO "/lfm2-nano-q4_0.gguf", ids), 0xc2b5765e955e8d21u);
}

TEST_P(Pinned, Golden) {
  const Golden golden = read_golden(LFM_GOLDEN_DATA "/moe-q4_k_m.golden");
  const TempFile file(golden.gguf);
  const auto& ids = golden.prompts.front().ids;
  EXPECT_EQ(hash_of(file.path(), std::span(ids).first(std::min(kTokens, ids.size()))), 0xda9008bfab14e30bu);
}

INSTANTIATE_TEST_SUITE_P(Isas, Pinned, testing::ValuesIn(kernels::kIsas),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lfm::test
