// Vocabularies that are damaged or made to do harm: each is refused with an error that says what and where.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/text/sample.h"

namespace lfm::text {
namespace {

struct BadCase {
  std::string name;
  std::function<void(OwnedTokenizerData&)> damage;
  ErrorCode code;
  std::string field;
  std::uint64_t index = Error::kNone;
};

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kMerges = "tokenizer.ggml.merges";

std::vector<BadCase> bad_cases() {
  using Data = OwnedTokenizerData;
  constexpr auto kFormat = ErrorCode::kFormat;
  std::vector<BadCase> cases = {
      {"NoTokens", [](Data& d) { d.tokens.clear(); }, kFormat, kTokens},
      {"TooManyTokens", [](Data& d) { d.tokens.resize(Vocabulary::kMaxTokens + 1, "x"); }, ErrorCode::kLimit, kTokens},
      {"OneTypeShort", [](Data& d) { d.types.pop_back(); }, kFormat, kTypes},
      {"OneTypeTooMany", [](Data& d) { d.types.push_back(1); }, kFormat, kTypes},
      {"Type0", [](Data& d) { d.types[300] = 0; }, kFormat, kTypes, 300},
      {"Type7", [](Data& d) { d.types[300] = 7; }, kFormat, kTypes, 300},
      {"TypeMinus1", [](Data& d) { d.types[300] = -1; }, kFormat, kTypes, 300},
      {"TypeByte", [](Data& d) { d.types[300] = 6; }, ErrorCode::kUnsupported, kTypes, 300},
      {"DuplicateToken", [](Data& d) { d.tokens[400] = d.tokens[300]; }, kFormat, kTokens, 400},
      {"DuplicateControl", [](Data& d) { d.tokens[9] = d.tokens[7]; }, kFormat, kTokens, 9},
      {"ControlWithANormalText", [](Data& d) { d.tokens[9] = d.tokens[300]; }, kFormat, kTokens, 9},
      {"EmptyToken", [](Data& d) { d.tokens[300] = ""; }, kFormat, kTokens, 300},
      {"HugeToken", [](Data& d) { d.tokens[300].assign(std::size_t{1} << 20, 'q'); }, ErrorCode::kLimit, kTokens, 300},
      {"TokenIsNotUtf8", [](Data& d) { d.tokens[300] = "\xE6\xAD"; }, kFormat, kTokens, 300},
      {"ByteMissing", [](Data& d) { d.tokens[80] = "something else"; }, kFormat, kTokens},
      {"ByteIsControl", [](Data& d) { d.types[80] = 3; }, kFormat, kTokens},
      {"NoMerges", [](Data& d) { d.merges.clear(); }, kFormat, kMerges},
      {"TooManyMerges", [](Data& d) { d.merges.resize(Merges::kMaxMerges + 1, "a b"); }, ErrorCode::kLimit, kMerges},
      {"MergeWithoutSpace", [](Data& d) { d.merges[5] = "ab"; }, kFormat, kMerges, 5},
      {"MergeWithTwoSpaces", [](Data& d) { d.merges[5] = "i n g"; }, kFormat, kMerges, 5},
      {"MergeWithoutLeft", [](Data& d) { d.merges[5] = " n"; }, kFormat, kMerges, 5},
      {"MergeWithoutRight", [](Data& d) { d.merges[5] = "n "; }, kFormat, kMerges, 5},
      {"EmptyMerge", [](Data& d) { d.merges[5] = ""; }, kFormat, kMerges, 5},
      {"MergeOfUnknownLeft", [](Data& d) { d.merges[5] = "qqqq n"; }, kFormat, kMerges, 5},
      {"MergeOfUnknownRight", [](Data& d) { d.merges[5] = "n qqqq"; }, kFormat, kMerges, 5},
      {"MergeIntoUnknown", [](Data& d) { d.merges[5] = "q q"; }, kFormat, kMerges, 5},
      {"DuplicateMerge", [](Data& d) { d.merges[700] = d.merges[5]; }, kFormat, kMerges, 700},
      {"BosBeyondTheVocabulary", [](Data& d) { d.rest.bos_id = 4096; }, kFormat, "tokenizer.ggml.bos_token_id"},
      {"EosIs2To31", [](Data& d) { d.rest.eos_id = 1u << 31; }, kFormat, "tokenizer.ggml.eos_token_id"},
      {"EotIs2To32", [](Data& d) { d.rest.eot_id = std::uint64_t{1} << 32; }, kFormat, "tokenizer.ggml.eot_token_id"},
      {"PadIsMinus1", [](Data& d) { d.rest.pad_id = 0xFFFFFFFFu; }, kFormat, "tokenizer.ggml.padding_token_id"},
      {"BosIsEos", [](Data& d) { d.rest.eos_id = 1; }, kFormat, "tokenizer.ggml.eos_token_id"},
      {"BosToAddIsMissing", [](Data& d) { d.rest.bos_id.reset(); }, kFormat, "tokenizer.ggml.add_bos_token"},
      {"OtherModel", [](Data& d) { d.rest.model = "llama"; }, ErrorCode::kUnsupported, "tokenizer.ggml.model"},
      {"OtherPre", [](Data& d) { d.rest.pre = "default"; }, ErrorCode::kUnsupported, "tokenizer.ggml.pre"},
      {"NoPre", [](Data& d) { d.rest.pre = ""; }, ErrorCode::kUnsupported, "tokenizer.ggml.pre"},
      {"EndMarkerIsNormal", [](Data& d) { d.types[7] = 1; }, kFormat, kTypes, 7},
      {"StartMarkerIsNormal", [](Data& d) { d.types[6] = 1; }, kFormat, kTypes, 6},
  };
  return cases;
}

class BadTokenizer : public testing::TestWithParam<BadCase> {};

TEST_P(BadTokenizer, IsRefusedByName) {
  OwnedTokenizerData data = sample_data();
  GetParam().damage(data);
  const auto created = Tokenizer::create(data.view());
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, GetParam().code) << created.error().describe();
  EXPECT_EQ(created.error().field, GetParam().field) << created.error().describe();
  EXPECT_EQ(created.error().index, GetParam().index) << created.error().describe();
}

INSTANTIATE_TEST_SUITE_P(All, BadTokenizer, testing::ValuesIn(bad_cases()),
                         [](const auto& bad) { return bad.param.name; });

// Any single token or merge replaced by any other text: refused or usable, never worse.
TEST(DamagedTokenizer, AnyOneChangeIsRefusedOrHarmless) {
  const std::string texts[] = {"",     " ",   "a",      "<0x-1>",     "<0xZZ>", "\u0120",
                               "\xFF", "a b", "\u0143", "<|im_end|>", "a a",    std::string(2000, 'a')};
  for (std::size_t i = 0; i < 60; ++i) {
    for (const std::string& text : texts) {
      OwnedTokenizerData data = sample_data();
      (i % 2 == 0 ? data.tokens[i * 67] : data.merges[i * 61]) = text;
      const auto created = Tokenizer::create(data.view());
      if (!created.ok()) continue;
      const auto ids = created->encode("The quick brown fox <|im_end|> \xFF");
      ASSERT_TRUE(ids.ok());
      ASSERT_TRUE(created->decode(*ids).ok());
    }
  }
}

}  // namespace
}  // namespace lfm::text
