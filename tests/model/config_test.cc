// Configurations that real models have, and ones that are wrong in one place (groups K and P).
#include "model/config.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/expect.h"
#include "support/file_case.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using format::Gguf;
using format::ValueType;
using model::Config;

Result<Config> read(const GgufBuilder& file) {
  auto gguf = Gguf::parse(as_bytes(file.build()));
  if (!gguf.ok()) return std::move(gguf).error();
  return model::read_config(*gguf);
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

class ConfigRefused : public testing::TestWithParam<FileCase> {};

TEST_P(ConfigRefused, ByName) {
  GgufBuilder file = large_file();
  GetParam().change(file);
  expect_error(read(file), GetParam().code, GetParam().says);
}

class CaseList {
 public:
  using Change = std::function<void(GgufBuilder&)>;

  void add(const std::string& id, Change change, const std::string& says, ErrorCode code = ErrorCode::kFormat) {
    cases_.push_back({id, std::move(change), code, says});
  }

  void add_u32(const std::string& id, const std::string& key, const std::vector<std::uint32_t>& values,
               ErrorCode code = ErrorCode::kFormat) {
    for (const std::uint32_t value : values) {
      add(
          id + "_" + std::to_string(value), [=](GgufBuilder& f) { f.set_u32("lfm2moe." + key, value); },
          "lfm2moe." + key + ": is " + std::to_string(value), code);
    }
  }

  void add_f32(const std::string& id, const std::string& key, const std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      add(
          id + "_" + std::to_string(i), [=, v = values[i]](GgufBuilder& f) { f.set_f32("lfm2moe." + key, v); },
          "lfm2moe." + key + ": is ");
    }
  }

  void add_i32s(const std::string& id, const std::string& key, std::vector<std::int32_t> values,
                const std::string& says) {
    add(
        id, [=](GgufBuilder& f) { f.set_i32s("lfm2moe." + key, values); }, "lfm2moe." + key + ": " + says);
  }

  void add_value(const std::string& id, const std::string& key, ValueType type, std::string value,
                 const std::string& says, ErrorCode code = ErrorCode::kFormat) {
    add(
        id, [=](GgufBuilder& f) { f.set(key, type, value); }, key + ": " + says, code);
  }

  std::vector<FileCase> take() { return std::move(cases_); }

 private:
  std::vector<FileCase> cases_;
};

std::vector<FileCase> architecture_cases() {
  CaseList cases;
  const std::string key = "general.architecture";
  cases.add(
      "H06_nothing_inside", [](GgufBuilder& f) { f.entries.clear(); }, key + ": the key is missing");
  const std::pair<const char*, const char*> names[] = {{"llama", "llama"},     {"empty", ""},    {"capitals", "LFM2"},
                                                       {"longer", "lfm2moe2"}, {"lfm3", "lfm3"}, {"escape", "\x1b[2J"}};
  for (const auto& [id, name] : names)
    cases.add_value(std::string("K11_") + id, key, ValueType::kString, string_bytes(name), "'",
                    ErrorCode::kUnsupported);
  cases.add(
      "K11_lfm2_without_its_keys", [=](GgufBuilder& f) { f.set_string(key, "lfm2"); },
      "lfm2.block_count: the key is missing");
  cases.add_value("K11_number", key, ValueType::kUint32, bytes_of(1u), "is uint32, expected string");
  cases.add_value("K11_array", key, ValueType::kArray, strings_bytes({"lfm2moe"}),
                  "is array of string, expected string");
  cases.add_value("K11_name_as_number", "general.name", ValueType::kUint32, bytes_of(1u), "is uint32, expected string");
  return cases.take();
}

std::vector<FileCase> size_cases() {
  constexpr std::uint32_t kMax32 = ~0u;
  CaseList cases;
  cases.add_u32("P01_layers", "block_count", {0, 513, 1u << 31, kMax32});
  for (const std::uint32_t layers : {23u, 25u}) {
    cases.add(
        "P01_layers_" + std::to_string(layers), [=](GgufBuilder& f) { f.set_u32("lfm2moe.block_count", layers); },
        "lfm2moe.attention.head_count_kv: has 24 elements for " + std::to_string(layers) + " layers");
  }
  cases.add_u32("P02_hidden", "embedding_length", {0, 31, 2047, 65568, 1u << 31});
  cases.add_value("P02_hidden_2_to_63", "lfm2moe.embedding_length", ValueType::kUint64,
                  bytes_of(std::uint64_t{1} << 63), "is 9223372036854775808");
  cases.add_u32("P03_heads", "attention.head_count", {0, 33, 1025, 1u << 31, kMax32});
  cases.add_u32("P05_experts", "expert_count", {0, 513, 1u << 31});
  cases.add_u32("P05_used", "expert_used_count", {0, 33, 65, kMax32});
  cases.add(
      "P05_more_used_than_there_are", [](GgufBuilder& f) { f.set_u32("lfm2moe.expert_count", 3); },
      "lfm2moe.expert_used_count: is 4, expected 1 to 3");
  cases.add_u32("P06_dense", "leading_dense_block_count", {25, kMax32});
  cases.add_value("P06_dense_minus_1", "lfm2moe.leading_dense_block_count", ValueType::kInt32,
                  bytes_of(std::int32_t{-1}), "-1 is negative");
  cases.add_u32("P07_gating", "expert_gating_func", {0, 1, 3, kMax32}, ErrorCode::kUnsupported);
  cases.add_u32("P08_taps", "shortconv.l_cache", {0, 1, 9, 1u << 20});
  cases.add_u32("P11_context", "context_length", {0});
  cases.add_value("P11_context_2_to_32", "lfm2moe.context_length", ValueType::kUint64, bytes_of(std::uint64_t{1} << 32),
                  "is 4294967296");
  cases.add_u32("P12_vocab", "vocab_size", {0, (1u << 20) + 1, kMax32});
  cases.add_u32("width", "feed_forward_length", {0, 31, 33, (1u << 20) + 32});
  cases.add_u32("expert_width", "expert_feed_forward_length", {0, 31, 33, (1u << 20) + 32});
  cases.add_u32("head_dim", "attention.key_length", {0, 31, 48, 288});
  return cases.take();
}

std::vector<FileCase> layer_map_cases() {
  const std::string key = "attention.head_count_kv", full = "lfm2moe." + key;
  const auto with = [](std::size_t layer, std::int32_t value) {
    std::vector<std::int32_t> values(24, 0);
    values[2] = 8;
    values[layer] = value;
    return values;
  };
  using Limits = std::numeric_limits<std::int32_t>;
  CaseList cases;
  cases.add_value("P04_scalar", full, ValueType::kUint32, bytes_of(8u), "is uint32, expected array of int32");
  cases.add_value("P04_strings", full, ValueType::kArray, strings_bytes({"8"}),
                  "is array of string, expected array of int32");
  cases.add_value("P04_bytes", full, ValueType::kArray, array_bytes(0, 24, std::string(24, '\0')),
                  "is array of uint8, expected array of int32");
  cases.add_i32s("P04_empty", key, {}, "has 0 elements for 24 layers");
  cases.add_i32s("P04_23", key, std::vector<std::int32_t>(23, 0), "has 23 elements for 24 layers");
  cases.add_i32s("P04_25", key, std::vector<std::int32_t>(25, 0), "has 25 elements for 24 layers");
  cases.add_i32s("P04_minus_1", key, with(5, -1), "is -1, expected 0 or a divisor of the 32 heads (index 5");
  cases.add_i32s("P04_3", key, with(23, 3), "is 3, expected 0 or a divisor of the 32 heads (index 23");
  cases.add_i32s("P04_64", key, with(0, 64), "is 64, expected");
  cases.add_i32s("P04_max", key, with(0, Limits::max()), "is 2147483647, expected");
  cases.add_i32s("P04_min", key, with(0, Limits::min()), "is -2147483648, expected");
  cases.add_i32s("P04_no_attention", key, std::vector<std::int32_t>(24, 0), "has no attention layer");
  cases.add_i32s("P04_no_convolution", key, std::vector<std::int32_t>(24, 8), "has no convolution layer");
  cases.add_i32s("widths_23", "feed_forward_length", std::vector<std::int32_t>(23, 32),
                 "has 23 elements for 24 layers");
  cases.add_i32s("widths_negative", "feed_forward_length", std::vector<std::int32_t>(24, -32),
                 "is -32, expected a multiple of 32 up to 1048576 (index 0");
  cases.add_i32s("widths_33", "feed_forward_length", std::vector<std::int32_t>(24, 33),
                 "is 33, expected a multiple of 32");
  return cases.take();
}

std::vector<FileCase> constant_cases() {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  const std::string tokens = "tokenizer.ggml.tokens";
  CaseList cases;
  cases.add_f32("P09_rope_base", "rope.freq_base", {0.0f, -1.0f, kNan, kInf, -kInf, 0.5f, 1e30f});
  cases.add_value("P09_rope_base_1e308", "lfm2moe.rope.freq_base", ValueType::kFloat64, bytes_of(1e308), "is 1e+308");
  cases.add_value("P09_rope_base_as_string", "lfm2moe.rope.freq_base", ValueType::kString, string_bytes("1e6"),
                  "is string, expected float32");
  cases.add_f32("P10_eps", "attention.layer_norm_rms_epsilon", {0.0f, -1.0f, kNan, kInf, 1e30f, 1e-30f});
  for (const std::size_t count : {65535u, 65537u}) {
    cases.add(
        "P12_tokens_" + std::to_string(count),
        [=](GgufBuilder& f) { f.set_strings(tokens, std::vector<std::string>(count, "t")); },
        "lfm2moe.vocab_size: is 65536, but tokenizer.ggml.tokens has " + std::to_string(count));
  }
  cases.add_value("P12_tokens_are_numbers", tokens, ValueType::kArray, array_bytes(5, 1, bytes_of(1)),
                  "is array of int32, expected array of string");
  cases.add(
      "P12_no_tokens",
      [=](GgufBuilder& f) {
        f.erase("lfm2moe.vocab_size");
        f.set_strings(tokens, {});
      },
      tokens + ": is 0, expected 1 to");
  for (const std::string name :
       {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
        "attention.head_count_kv", "attention.layer_norm_rms_epsilon", "rope.freq_base", "shortconv.l_cache",
        "vocab_size", "expert_count", "expert_used_count", "expert_feed_forward_length", "leading_dense_block_count"}) {
    std::string id = "P13_without_" + name;
    for (char& c : id) c = c == '.' ? '_' : c;
    cases.add(
        id, [=](GgufBuilder& f) { f.erase("lfm2moe." + name); }, "lfm2moe." + name + ": the key is missing");
  }
  return cases.take();
}

std::vector<FileCase> feature_cases() {
  const auto unsupported = ErrorCode::kUnsupported;
  CaseList cases;
  cases.add_u32("value_length", "attention.value_length", {128}, unsupported);
  cases.add_u32("partial_rope", "rope.dimension_count", {32}, unsupported);
  cases.add_u32("sliding_window", "attention.sliding_window", {4096}, unsupported);
  cases.add_u32("shared_experts", "expert_shared_count", {1}, unsupported);
  cases.add_value("not_causal", "lfm2moe.attention.causal", ValueType::kBool, bytes_of(false), "attention that",
                  unsupported);
  cases.add_value("weights_not_normalised", "lfm2moe.expert_weights_norm", ValueType::kBool, bytes_of(false),
                  "expert weights", unsupported);
  cases.add_value("weights_scaled", "lfm2moe.expert_weights_scale", ValueType::kFloat32, bytes_of(2.5f),
                  "expert weights", unsupported);
  cases.add_value("rope_scaling", "lfm2moe.rope.scaling.type", ValueType::kString, string_bytes("yarn"),
                  "rotary scaling", unsupported);
  return cases.take();
}

INSTANTIATE_TEST_SUITE_P(Architecture, ConfigRefused, testing::ValuesIn(architecture_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Sizes, ConfigRefused, testing::ValuesIn(size_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(LayerMap, ConfigRefused, testing::ValuesIn(layer_map_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Constants, ConfigRefused, testing::ValuesIn(constant_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Features, ConfigRefused, testing::ValuesIn(feature_cases()), case_name);

}  // namespace
}  // namespace lfm::test
