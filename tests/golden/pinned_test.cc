// Bits that are written down: of one machine, compiler, C library and instruction set they are those of every other.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "golden/golden_data.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/isa.h"
#include "support/temp_file.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

constexpr std::size_t kTokens = 64;

constexpr SessionOptions kCaches[] = {{}, {.cache_keys = CacheType::kQ8_0, .cache_values = CacheType::kQ8_0}};

// Of the logits of every token, FNV-1a.
std::uint64_t hash_of(const Engine& engine, std::span<const TokenId> ids, const SessionOptions& options) {
  auto session = engine.new_session(options);
  EXPECT_TRUE(session.ok()) << session.error().describe();
  std::uint64_t hash = 14695981039346656037u;
  expect_ok(session->append(ids, [&](std::span<const float> logits) {
    for (const float logit : logits) hash = (hash ^ std::bit_cast<std::uint32_t>(logit)) * 1099511628211u;
  }));
  return hash;
}

// Of nano, a golden file, or a small model of random weights of a type that those don't have.
struct Bits {
  std::string file;
  std::uint64_t hashes[std::size(kCaches)];
  std::optional<format::TensorType> random = {};
};

void PrintTo(const Bits& bits, std::ostream* out) {
  *out << bits.file;
}

const Bits kPinned[] = {
    {"nano", {0xc2b5765e955e8d21u, 0xdcee910cd7833e32u}},
    {"moe-q4_k_m", {0xda9008bfab14e30bu, 0xcf07f0dd69101c87u}},
    {"moe-f16", {0x62cae4c7c52875e4u, 0xff98d17f5237e952u}},
    {"moe-q4_0", {0x6fa782d5a06a22cu, 0x4dfe98e9523ae2d8u}},
    {"moe-q5_k_m", {0x95e48f6fade7d870u, 0x1b5ca8b44a1e6abau}},
    {"moe-q6_k", {0x4db7cfdeb8c30b19u, 0x6a9f9c2648fe6ef0u}},
    {"moe-q8_0", {0x9b3926012429ec02u, 0xbd1edf8e28e3cb00u}},
    {"odd-q4_0", {0x870b0a2cf088bb49u, 0x9f5260e30e39c8d7u}},
    {"odd-q4_1", {0xa50413bc141a39e4u, 0xbaf24d019d33157du}},
    {"dense-q4_0", {0x808830d241fb7c9au, 0x9b3b4538118962b3u}},
    {"dense-q5_0", {0x24886428858b540cu, 0x2b7be56de94c52a8u}},
    {"dense-bf16", {0xaec779cdd3ce1824u, 0x666d49cb8dc89430u}},
    {"random-q5_1", {0x1d051059dc33ecedu, 0x95c30db80a315d9eu}, format::TensorType::kQ5_1},
    {"random-q2_k", {0x35814162dc86e28u, 0xace5ac0a65bc783cu}, format::TensorType::kQ2_K},
    {"random-q3_k", {0xad521e3d7c394c53u, 0x40945aca206786a3u}, format::TensorType::kQ3_K},
    {"random-iq4_nl", {0xe7a4c91be1748bd8u, 0x5d676f01f7b36b82u}, format::TensorType::kIQ4_NL},
    {"random-iq4_xs", {0x1a14257c7360e70u, 0xec6c02d54f245713u}, format::TensorType::kIQ4_XS},
    {"random-mxfp4", {0x6f4c8dd563cdc13fu, 0x78520487bbdaef8du}, format::TensorType::kMXFP4},
};

// A model and what it reads.
struct Asked {
  std::string path;
  std::vector<TokenId> ids;
  std::unique_ptr<TempFile> file = {};  // which has that path
};

Asked asked_of(const Bits& bits) {
  Asked out;
  std::size_t count = kTokens, vocabulary = 400;
  if (bits.random) {
    TinyModel model;
    model.matrices = *bits.random;
    model.hidden = model.ffn_width = model.expert_width = 256;  // whole blocks of every type
    model.heads = 8;
    model.kv_heads = {0, 2, 0};
    count = kTokens / 4;
    vocabulary = model.vocab - 1;
    out.file = std::make_unique<TempFile>(model.build());
    out.path = out.file->path();
  } else if (bits.file == "nano") {
    out.path = LFM_NANO "/lfm2-nano-q4_0.gguf";
  } else {
    const Golden golden = read_golden(LFM_GOLDEN_DATA "/" + bits.file + ".golden");
    out.ids = golden.prompts.front().ids;
    out.ids.resize(std::min(kTokens, out.ids.size()));
    out.file = std::make_unique<TempFile>(golden.gguf);
    out.path = out.file->path();
    return out;
  }
  for (std::size_t i = 0; i < count; ++i) out.ids.push_back(static_cast<TokenId>(1 + i * 37 % vocabulary));
  return out;
}

class Pinned : public testing::TestWithParam<std::tuple<Bits, kernels::IsaInfo>> {};

TEST_P(Pinned, LogitsOnOneTwoAndThreeThreads) {
  const auto& [bits, isa] = GetParam();
  LFM_SKIP_WITHOUT(isa.isa);
  const EnvironmentVariable forced("LFM_ISA", isa.name);
  const Asked asked = asked_of(bits);
  for (const unsigned threads : {1u, 2u, 3u}) {
    const auto engine = Engine::open(asked.path, {.threads = threads, .dense = DenseBackend::kNative});
    ASSERT_TRUE(engine.ok()) << engine.error().describe();
    EXPECT_EQ(engine->info().isa, isa.name);
    for (std::size_t i = 0; i < std::size(kCaches); ++i) {
      EXPECT_EQ(hash_of(*engine, asked.ids, kCaches[i]), bits.hashes[i])
          << threads << " threads, keys and values in " << to_string(kCaches[i].cache_keys);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Pinned, testing::Combine(testing::ValuesIn(kPinned), testing::ValuesIn(kernels::kIsas)),
                         [](const auto& test) {
                           std::string name = std::get<0>(test.param).file + "_" + std::get<1>(test.param).name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace lfm::test
