#include "source/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <string>

#include "format/gguf.h"
#include "tests/support/gguf_builder.h"
#include "tests/text/sample.h"
#include "text/tokenizer.h"

namespace lfm::text {
namespace {

test::GgufBuilder sample_file() {
  const OwnedTokenizerData& data = sample_data();
  test::GgufBuilder builder;
  builder.set_string("tokenizer.ggml.model", "gpt2");
  builder.set_string("tokenizer.ggml.pre", "lfm2");
  builder.set_strings("tokenizer.ggml.tokens", data.tokens);
  builder.set_i32s("tokenizer.ggml.token_type", data.types);
  builder.set_strings("tokenizer.ggml.merges", data.merges);
  builder.set_u32("tokenizer.ggml.bos_token_id", 1);
  builder.set_u32("tokenizer.ggml.eos_token_id", 7);
  return builder;
}

Result<Tokenizer> read(const test::GgufBuilder& builder) {
  const std::string bytes = builder.build();
  const auto gguf = format::Gguf::parse(test::as_bytes(bytes));
  EXPECT_TRUE(gguf.ok()) << gguf.error().describe();
  const auto data = source::read_tokenizer(gguf->metadata());
  if (!data.ok()) return data.error();
  return Tokenizer::create(*data);
}

void expect_error(const test::GgufBuilder& builder, ErrorCode code, const std::string& field) {
  const auto tokenizer = read(builder);
  ASSERT_FALSE(tokenizer.ok()) << field;
  EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().describe();
  EXPECT_EQ(tokenizer.error().field, field) << tokenizer.error().describe();
}

TEST(TokenizerGguf, ReadsAndKeepsWhatItNeeds) {
  const auto tokenizer = read(sample_file());  // the file is gone by now
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  EXPECT_TRUE(tokenizer->adds_bos());  // where the file doesn't say
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 7);
  EXPECT_EQ(*tokenizer->encode("The<|im_end|>"), (std::vector<TokenId>{1886, 7}));
}

TEST(TokenizerGguf, AddBosIsTheFilesChoice) {
  auto builder = sample_file();
  builder.set("tokenizer.ggml.add_bos_token", format::ValueType::kBool, test::bytes_of(false));
  const auto tokenizer = read(builder);
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_FALSE(tokenizer->adds_bos());
}

TEST(TokenizerGguf, MissingKeysAreNamed) {
  for (const std::string key : {"model", "pre", "tokens", "token_type", "merges"}) {
    auto builder = sample_file();
    builder.erase("tokenizer.ggml." + key);
    expect_error(builder, ErrorCode::kFormat, "tokenizer.ggml." + key);
  }
  for (const std::string key : {"bos_token_id", "eos_token_id"}) {
    auto builder = sample_file();
    builder.erase("tokenizer.ggml." + key);
    EXPECT_TRUE(read(builder).ok());
  }
}

TEST(TokenizerGguf, KeysOfOtherTypesAreRefused) {
  const auto array = [](format::ValueType element, std::size_t width) {
    return test::array_bytes(static_cast<std::uint32_t>(element), 4096, std::string(4096 * width, '\1'));
  };
  using enum format::ValueType;
  for (const auto& [element, width] : {std::pair{kUint8, 1}, {kInt8, 1}, {kFloat32, 4}, {kInt64, 8}}) {
    auto builder = sample_file();
    builder.set("tokenizer.ggml.token_type", kArray, array(element, static_cast<std::size_t>(width)));
    expect_error(builder, ErrorCode::kFormat, "tokenizer.ggml.token_type");
  }
  auto builder = sample_file();
  builder.set("tokenizer.ggml.tokens", kArray, array(kUint8, 1));
  expect_error(builder, ErrorCode::kFormat, "tokenizer.ggml.tokens");
  builder = sample_file();
  builder.set_u32("tokenizer.ggml.model", 1);
  expect_error(builder, ErrorCode::kFormat, "tokenizer.ggml.model");
  builder = sample_file();
  builder.set("tokenizer.ggml.bos_token_id", kInt32, test::bytes_of(std::int32_t{-1}));
  expect_error(builder, ErrorCode::kFormat, "tokenizer.ggml.bos_token_id");
}

TEST(TokenizerGguf, ScoresAndTemplatesAreNotLookedAt) {
  auto builder = sample_file();
  builder.set("tokenizer.ggml.scores", format::ValueType::kArray, test::array_bytes(0, 4096, std::string(4096, 'x')));
  builder.set_string("tokenizer.chat_template", "{% include '/etc/passwd' %}{{ x() }}");
  EXPECT_TRUE(read(builder).ok());
}

}  // namespace
}  // namespace lfm::text
