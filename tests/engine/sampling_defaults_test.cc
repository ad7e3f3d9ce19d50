#include "engine/load/sampling_defaults.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/support/loaded.h"

namespace lfm::engine {
namespace {

struct Expected {
  float temperature;
  std::int32_t top_k;
  float top_p;
  float min_p;
};

void expect_options(const SamplingOptions& options, const Expected& expected) {
  EXPECT_EQ(options.temperature, expected.temperature);
  EXPECT_EQ(options.top_k, expected.top_k);
  EXPECT_EQ(options.top_p, expected.top_p);
  EXPECT_EQ(options.min_p, expected.min_p);
  EXPECT_EQ(options.repetition_penalty, 1.05f);
}

model::Config config_of(model::Architecture architecture, std::string name, std::size_t vocab, std::size_t layers) {
  model::Config config;
  config.architecture = architecture;
  config.kin = {std::move(name)};
  config.vocab = vocab;
  config.layers.resize(layers);
  return config;
}

TEST(FamilySampling, AsTheModelsMakersSay) {
  using enum model::Architecture;
  expect_options(family_sampling(config_of(kLfm2Moe, "LFM2 8B A1B", 65536, 24), ChatForm::kChatMl),
                 {0.3f, 0, 1, 0.15f});
  expect_options(family_sampling(config_of(kLfm2Moe, "", 65536, 24), ChatForm::kChatMl), {0.3f, 0, 1, 0.15f});
  expect_options(family_sampling(config_of(kLfm2, "LFM2-1.2B", 65536, 16), ChatForm::kChatMl), {0.3f, 0, 1, 0.15f});
  expect_options(family_sampling(config_of(kLfm2Moe, "", 128000, 24), ChatForm::kChatMl), {0.2f, 80, 1, 0});
  expect_options(family_sampling(config_of(kLfm2Moe, "lfm2.5 8B A1B", 128000, 24), ChatForm::kChatMl),
                 {0.2f, 80, 1, 0});
  expect_options(family_sampling(config_of(kLfm2Moe, "LFM2 24B A2B", 65536, 40), ChatForm::kChatMl), {0.1f, 50, 1, 0});
  expect_options(family_sampling(config_of(kLfm2, "LFM2.5 1.2B Instruct", 65536, 16), ChatForm::kChatMl),
                 {0.1f, 50, 1, 0});
  expect_options(family_sampling(config_of(kLfm2, "LFM2.5-1.2B-Thinking", 65536, 16), ChatForm::kChatMl),
                 {0.1f, 50, 0.1f, 0});
}

constexpr Expected kOlder = {0.3f, 0, 1, 0.15f};
constexpr Expected kNewer = {0.1f, 50, 1, 0};

// Whose name is a hash or its own, by what it comes from; the nearest that says so counts.
TEST(FamilySampling, ByTheModelsKin) {
  const auto expect = [](std::vector<std::string> kin, const Expected& expected) {
    model::Config config = config_of(model::Architecture::kLfm2, "", 65536, 16);
    config.kin = std::move(kin);
    expect_options(family_sampling(config, ChatForm::kChatMl), expected);
  };
  expect({"9f27c1e4b0aa", "LFM2.5 ", "", ""}, kNewer);
  expect({"9f27c1e4b0aa", "LFM2 ", "", ""}, kOlder);
  expect({"Moor Guide", "Moor-Guide ", "LFM2.5 1.2B Instruct ", ""}, kNewer);
  expect({"Moor Guide", "", "https://huggingface.co/LiquidAI/LFM2.5-1.2B-Base ", ""}, kNewer);
  expect({"9f27c1e4b0aa", "", "", "liquid lfm2.5 edge "}, kNewer);
  expect({"9f27c1e4b0aa", "", "", "lfm2 liquid lfm2.5 "}, kNewer);
  expect({"9f27c1e4b0aa", "", "", "liquid lfm2 edge "}, kOlder);
  expect({"LFM2 1.2B", "", "", "lfm2.5 "}, kOlder);
  expect({"LFM-2.5 350M", "", "", ""}, kNewer);
  expect({"9f27c1e4b0aa", "", "", ""}, kOlder);
  expect({"9f27c1e4b0aa", "Thinking ", "LFM2.5 1.2B ", ""}, {0.1f, 50, 0.1f, 0});
}

TEST(FamilySampling, ByVocabularyAndForm) {
  using enum model::Architecture;
  expect_options(family_sampling(config_of(kLfm2, "", 128000, 30), ChatForm::kChatMl), kNewer);
  expect_options(family_sampling(config_of(kLfm2, "", 65536, 16), ChatForm::kLfm25), kNewer);
  expect_options(family_sampling(config_of(kLfm2, "LFM2 2.6B", 65536, 30), ChatForm::kLfm25), kOlder);
  expect_options(family_sampling(config_of(kLfm2Moe, "", 65536, 24), ChatForm::kLfm25), kOlder);
}

Result<SamplingOptions> with_keys(const test::GgufBuilder& builder) {
  const std::string bytes = builder.build();
  std::vector<format::Gguf> parts;
  parts.push_back(format::Gguf::parse(test::as_bytes(bytes)).value());
  const auto source = source::source_of(std::move(parts));
  EXPECT_TRUE(source.ok());
  const auto hints = (*source)->sampling();
  if (!hints.ok()) return hints.error();
  return default_sampling(config_of(model::Architecture::kLfm2, "LFM2", 65536, 16), *hints, ChatForm::kChatMl);
}

// What a file says isn't mixed with what is said of its family.
TEST(DefaultSampling, TheFileHasTheLastWord) {
  test::GgufBuilder builder;
  builder.set_f32("general.sampling.temp", 0.7f);
  builder.set_u32("general.sampling.top_k", 30);
  builder.set_f32("general.sampling.penalty_repeat", 1.05f);
  const auto options = with_keys(builder);
  ASSERT_TRUE(options.ok()) << options.error().describe();
  expect_options(*options, {0.7f, 30, 1, 0});
  const auto none = with_keys({});
  ASSERT_TRUE(none.ok());
  expect_options(*none, kOlder);
  test::GgufBuilder top_p;
  top_p.set_f32("general.sampling.top_p", 0.5f);
  const auto only = with_keys(top_p);
  ASSERT_TRUE(only.ok());
  EXPECT_EQ(only->temperature, 1.0f);
  EXPECT_EQ(only->top_p, 0.5f);
  EXPECT_EQ(only->min_p, 0.0f);
  EXPECT_EQ(only->repetition_penalty, 1.0f);
}

TEST(DefaultSampling, BadValuesAreNamedByKey) {
  for (const std::string key : {"general.sampling.temp", "general.sampling.top_p", "general.sampling.min_p",
                                "general.sampling.penalty_repeat"}) {
    test::GgufBuilder builder;
    builder.set_f32(key, std::numeric_limits<float>::quiet_NaN());
    const auto options = with_keys(builder);
    ASSERT_FALSE(options.ok());
    EXPECT_EQ(options.error().code, ErrorCode::kFormat);
    EXPECT_EQ(options.error().field, key);
  }
}

}  // namespace
}  // namespace lfm::engine
