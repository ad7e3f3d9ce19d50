// The questions of models/nano/eval.jsonl, and who is right.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lfm/types.h"
#include "nano/nano.h"

namespace lfm::test {

struct Question {
  std::string id;
  std::string text;          // everything before the answer, special tokens included
  std::vector<TokenId> ids;  // the same, by the tokenizer that the network was trained with
  std::string expect;
  std::string match;  // how the answer is compared: "exact", "json" or "ends"
  std::size_t max_tokens = 0;
};

std::vector<Question> read_exam();

// exact: the same text; json: the same keys, values and order; ends: holds the expected text. All have to end by
// themselves.
bool is_right(const Question& question, const Answer& answer);

}  // namespace lfm::test
