// Configurations that real models have, or might. Wrong ones are in tests/cases.
#include "source/gguf_config.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <utility>

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
  EXPECT_EQ(config->layers.size() - config->dense_layers, 22u);
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
  EXPECT_EQ(config->layers.size(), config->dense_layers);
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

// Keys that say that something isn't there.
TEST(ConfigTest, NeutralKeys) {
  const std::function<void(GgufBuilder&)> changes[] = {
      [](GgufBuilder& f) { f.set_f32("lfm2moe.expert_weights_scale", 0); },
      [](GgufBuilder& f) { f.set_string("lfm2moe.rope.scaling.type", "default"); },
      [](GgufBuilder& f) { f.set_string("lfm2moe.rope.scaling.type", ""); },
      [](GgufBuilder& f) { f.set_string("lfm2moe.rope.scaling.type", "linear"); },
      [](GgufBuilder& f) { f.set_f32("lfm2moe.rope.scaling.factor", 1); },
      [](GgufBuilder& f) { f.set_f32("lfm2moe.rope.scaling.factor", 0); },
      [](GgufBuilder& f) { f.set_f32("lfm2moe.rope.scale_linear", 1); },
      [](GgufBuilder& f) {
        f.set_string("lfm2moe.rope.scaling.type", "none");
        f.set_f32("lfm2moe.rope.scaling.factor", 4);
      },
      [](GgufBuilder& f) {
        f.set_string("lfm2moe.rope.scaling.type", "yarn");
        f.set_f32("lfm2moe.rope.scaling.factor", 1);
      },
      [](GgufBuilder& f) { f.set_f32("lfm2moe.logit_scale", 1); },
      [](GgufBuilder& f) { f.set_f32("lfm2moe.final_logit_softcapping", 0); },
      [](GgufBuilder& f) { f.set_u32("lfm2moe.expert_group_count", 1); },
      [](GgufBuilder& f) { f.set_u32("lfm2moe.pooling_type", 0); },
      [](GgufBuilder& f) { f.set_u32("lfm2moe.attention.sliding_window", 128000); },
      [](GgufBuilder& f) { f.set_string("general.type", "model"); },
  };
  for (const auto& change : changes) {
    GgufBuilder file = large_file();
    change(file);
    const auto config = read(file);
    ASSERT_TRUE(config.ok()) << config.error().describe();
    EXPECT_TRUE(config->notes.empty()) << config->notes[0];
  }
}

TEST(ConfigTest, KeysThatChangeTheNetwork) {
  const std::pair<const char*, float> floats[] = {
      {"expert_weights_scale", 2.5f}, {"logit_scale", 0.5f},          {"residual_scale", 2},
      {"embedding_scale", 12},        {"attn_logit_softcapping", 50}, {"final_logit_softcapping", 30},
      {"attention.clamp_kqv", 8},     {"rope.scaling.factor", 4},     {"rope.scale_linear", 2},
  };
  for (const auto& [name, value] : floats) {
    GgufBuilder file = large_file();
    file.set_f32(std::string("lfm2moe.") + name, value);
    expect_error(read(file), ErrorCode::kUnsupported, name);
  }
  for (const char* type : {"yarn", "dynamic", "longrope", "something"}) {
    GgufBuilder file = large_file();
    file.set_string("lfm2moe.rope.scaling.type", type);
    expect_error(read(file), ErrorCode::kUnsupported, "rope.scaling.type");
  }
  for (const char* kind : {"adapter", "imatrix", "mmproj"}) {
    GgufBuilder file = large_file();
    file.set_string("general.type", kind);
    expect_error(read(file), ErrorCode::kUnsupported, kind);
  }
  GgufBuilder window = large_file();
  window.set_u32("lfm2moe.attention.sliding_window", 127999);
  expect_error(read(window), ErrorCode::kUnsupported, "sliding_window");
  GgufBuilder groups = large_file();
  groups.set_u32("lfm2moe.expert_group_count", 8);
  expect_error(read(groups), ErrorCode::kUnsupported, "expert_group_count");
}

TEST(ConfigTest, ModelsThatDontTalkAreTold) {
  GgufBuilder decides = large_file();
  decides.set_string("lfm2moe.decision.type", "binary\x1b");
  GgufBuilder pools = large_file();
  pools.set_u32("lfm2moe.pooling_type", 1);
  for (const auto& [file, says] : {std::pair{decides, "decision.type ('binary\\x1b')"}, {pools, "pooling_type"}}) {
    const auto config = read(file);
    ASSERT_TRUE(config.ok()) << config.error().describe();
    ASSERT_EQ(config->notes.size(), 1u);
    EXPECT_NE(config->notes[0].find(says), std::string::npos) << config->notes[0];
  }
}

TEST(ConfigTest, Kin) {
  GgufBuilder file = large_file();
  file.set_string("general.basename", "LFM2.5");
  file.set_string("general.finetune", "Thinking");
  file.set_u32("general.base_model.count", 2);
  file.set_string("general.base_model.0.name", "LFM2.5 Base");
  file.set_string("general.base_model.1.repo_url", "https://example.org/b");
  file.set_strings("general.tags", {"liquid", "edge"});
  const auto config = read(file);
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_EQ(config->kin, (std::vector<std::string>{"tiny", "LFM2.5 Thinking ", "LFM2.5 Base https://example.org/b ",
                                                   "liquid edge "}));
  file.set_u32("general.tags", 1);
  file.set_u32("general.base_model.0.name", 1);
  file.set_u32("general.basename", 1);
  expect_ok(read(file));
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
