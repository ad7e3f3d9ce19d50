// The vocabulary and the cases in data/, which make_tokenizer_data.py wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace lfm::text {

// A TokenizerData and the strings that it points into, so that tests can change one thing and try again.
struct OwnedTokenizerData {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<std::string> merges;
  TokenizerData rest;  // everything but the three above

  TokenizerData view() const;
};

// The sample's vocabulary: 4,096 tokens, ids of special tokens as in LFM2 (BOS 1, EOS 7).
const OwnedTokenizerData& sample_data();
const Tokenizer& sample_tokenizer();

struct TokenizerCase {
  std::vector<TokenId> ids;
  std::string text;
};

std::vector<TokenizerCase> read_cases(const std::string& path);

}  // namespace lfm::text
