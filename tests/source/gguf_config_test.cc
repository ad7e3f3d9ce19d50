// Configurations that real models have, or might. Wrong ones are in tests/cases.
#include "source/gguf_config.h"

#include <gtest/gtest.h>

#include <limits>

#include "format/gguf.h"
#include "support/expect.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::ValueType;
using model::Config;

Result<Config> read(const GgufBuilder& file) {
  auto gguf = Gguf::parse(as_bytes(file.build()));
  if (!gguf.ok()) return std::move(gguf).error();
  return source::read_config(gguf->metadata());
}

// The metadata alone, of a model of LFM2-8B-A1B's size.
GgufBuilder large_file() {
  GgufBuilder file = TinyModel().builder();
  file.tensors.clear();
  file.erase("tokenizer.ggml.tokens");
  std::vector<std::int32_t> kv_heads(24, 0);
  for (const std::size_t layer : {2u, 6u, 10u, 14u, 18u, 21u}) kv_heads[layer] = 8;
  file.set_u32("lfm2moe.block_count", 24);
  file.set_u32("lfm2moe.context_length", 128000);
  file.set_u32("lfm2moe.embedding_length", 2048);
  file.set_u32("lfm2moe.feed_forward_length", 7168);
  file.set_u32("lfm2moe.attention.head_count", 32);
  file.set_i32s("lfm2moe.attention.head_count_kv", kv_heads);
  file.set_u32("lfm2moe.vocab_size", 65536);
  file.set_u32("lfm2moe.expert_count", 32);
  file.set_u32("lfm2moe.expert_used_count", 4);
  file.set_u32("lfm2moe.expert_feed_forward_length", 1792);
  file.set_u32("lfm2moe.leading_dense_block_count", 2);
  return file;
}

TEST(ConfigTest, LargeModel) {
  const auto config = read(large_file());
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->architecture, model::Architecture::kLfm2Moe);
  EXPECT_EQ(config->name, "tiny");
  EXPECT_EQ(config->layers.size(), 24u);
  EXPECT_EQ(config->attention_layers(), 6u);
  EXPECT_EQ(config->conv_layers(), 18u);
  EXPECT_EQ(config->moe_layers(), 22u);
  EXPECT_EQ(config->hidden, 2048u);
  EXPECT_EQ(config->heads, 32u);
  EXPECT_EQ(config->head_dim, 64u);
  EXPECT_EQ(config->vocab, 65536u);
  EXPECT_EQ(config->context_length, 128000u);
  EXPECT_EQ(config->experts, 32u);
  EXPECT_EQ(config->experts_used, 4u);
  EXPECT_EQ(config->dense_layers, 2u);
  EXPECT_EQ(config->conv_taps, 3u);
  EXPECT_EQ(config->rope_base, 1e6);
  EXPECT_FLOAT_EQ(config->norm_eps, 1e-5f);
  EXPECT_EQ(config->layers[1].ffn_width, 7168u);
  EXPECT_FALSE(config->layers[1].moe);
  EXPECT_EQ(config->layers[2].ffn_width, 1792u);
  EXPECT_TRUE(config->layers[2].moe);
  EXPECT_EQ(config->layers[2].kv_heads, 8u);
  EXPECT_EQ(config->kv_bytes_per_position(), 12u * 1024);  // the published figures of this model
  EXPECT_EQ(config->conv_state_bytes(), 288u * 1024);
}

TEST(ConfigTest, DenseModel) {
  TinyModel tiny;
  tiny.moe = false;
  const auto config = read(tiny.builder());
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->architecture, model::Architecture::kLfm2);
  EXPECT_EQ(config->dense_layers, 3u);
  EXPECT_EQ(config->experts, 0u);
  EXPECT_EQ(config->moe_layers(), 0u);
  for (const auto& layer : config->layers) EXPECT_EQ(layer.ffn_width, 96u);
}

// Sizes that no published model has, and that nothing may be compiled for.
TEST(ConfigTest, OtherSizes) {
  const std::function<void(TinyModel&)> changes[] = {
      [](TinyModel& m) { m.experts = 12, m.experts_used = 3; },
      [](TinyModel& m) { m.experts = 1, m.experts_used = 1; },
      [](TinyModel& m) { m.experts = 64, m.experts_used = 64, m.expert_width = 32; },
      [](TinyModel& m) { m.dense_layers = 0; },
      [](TinyModel& m) { m.dense_layers = 3; },
      [](TinyModel& m) { m.vocab = 3000; },
      [](TinyModel& m) { m.vocab = 128000; },
      [](TinyModel& m) { m.vocab = 7, m.tokenizer = false; },
      [](TinyModel& m) { m.hidden = 96, m.heads = 3; },
      [](TinyModel& m) { m.hidden = 256, m.heads = 1; },
      [](TinyModel& m) {
        m.hidden = 256, m.heads = 8, m.kv_heads = {8, 0, 2, 1};
      },
      [](TinyModel& m) { m.conv_taps = 2; },
      [](TinyModel& m) { m.conv_taps = 8; },
      [](TinyModel& m) { m.kv_heads.assign(40, 0), m.kv_heads[20] = 2; },
      [](TinyModel& m) { m.context_length = std::numeric_limits<std::uint32_t>::max(); },
      [](TinyModel& m) { m.ffn_width = 32; },
  };
  for (const auto& change : changes) {
    for (const bool moe : {false, true}) {
      TinyModel tiny;
      tiny.moe = moe;
      tiny.matrices = tiny.embedding = format::TensorType::kQ4_0;
      change(tiny);
      const auto config = read(tiny.builder());
      ASSERT_TRUE(config.ok()) << config.error().describe();
      EXPECT_EQ(config->hidden, tiny.hidden);
      EXPECT_EQ(config->head_dim, tiny.hidden / tiny.heads);
      EXPECT_EQ(config->vocab, tiny.vocab);
      EXPECT_EQ(config->conv_taps, tiny.conv_taps);
      EXPECT_EQ(config->layers.size(), tiny.kv_heads.size());
      EXPECT_EQ(config->context_length, tiny.context_length);
      EXPECT_EQ(config->experts, moe ? tiny.experts : 0);
    }
  }
}

TEST(ConfigTest, OptionalKeys) {
  GgufBuilder file = large_file();
  file.set_u32("lfm2moe.attention.key_length", 128);
  file.set_u32("lfm2moe.attention.value_length", 128);
  file.set_u32("lfm2moe.rope.dimension_count", 128);
  file.set_u32("lfm2moe.attention.sliding_window", 0);
  file.set("lfm2moe.attention.causal", ValueType::kBool, bytes_of(true));
  file.set("lfm2moe.expert_weights_norm", ValueType::kBool, bytes_of(true));
  file.set_f32("lfm2moe.expert_weights_scale", 1.0f);
  file.set_string("lfm2moe.rope.scaling.type", "none");
  file.erase("lfm2moe.expert_gating_func");
  file.erase("general.name");
  const auto config = read(file);
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->head_dim, 128u);
  EXPECT_EQ(config->name, "");
}

TEST(ConfigTest, VocabularyFromTheTokens) {
  GgufBuilder file = TinyModel().builder();
  file.erase("lfm2moe.vocab_size");
  const auto config = read(file);
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->vocab, 300u);
}

TEST(ConfigTest, WidthOfEachLayer) {
  GgufBuilder file = TinyModel().builder();
  file.set_i32s("lfm2moe.feed_forward_length", {160, 0, -1});
  const auto config = read(file);
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->layers[0].ffn_width, 160u);
  EXPECT_EQ(config->layers[1].ffn_width, 64u);
}

}  // namespace
}  // namespace lfm::test
