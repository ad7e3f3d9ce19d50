// Ids of the reference, Hugging Face tokenizers, for the texts in data/cases.txt, or in the file that the environment
// variable LFM_TOKENIZER_CASES names (see make_tokenizer_data.py).
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/text/sample.h"

namespace lfm::text {
namespace {

TEST(TokenizerGolden, IdsAndTextEqualTheReference) {
  const char* other = std::getenv("LFM_TOKENIZER_CASES");
  const auto cases = read_cases(other != nullptr ? other : LFM_TEXT_DATA "/cases.txt");
  ASSERT_GE(cases.size(), 500u);
  const Tokenizer& tokenizer = sample_tokenizer();
  std::size_t wrong = 0;
  for (const TokenizerCase& each : cases) {
    const auto ids = tokenizer.encode(each.text);
    ASSERT_TRUE(ids.ok());
    const auto text = tokenizer.decode(each.ids);
    ASSERT_TRUE(text.ok());
    if (*ids == each.ids && *text == each.text) continue;
    ++wrong;
    if (wrong <= 20) {
      EXPECT_EQ(*ids, each.ids) << each.text;
      EXPECT_EQ(*text, each.text);
    }
  }
  EXPECT_EQ(wrong, 0u) << "of " << cases.size();
}

}  // namespace
}  // namespace lfm::text
