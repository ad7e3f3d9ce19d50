#include "nano/exam.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace lfm::test {

using Json = nlohmann::ordered_json;

std::vector<Question> read_exam() {
  std::vector<Question> exam;
  std::ifstream in(LFM_NANO "/eval.jsonl");
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line);
    exam.push_back(
        {json.at("id"), json.at("text"), json.at("ids"), json.at("expect"), json.at("match"), json.at("max_tokens")});
  }
  return exam;
}

bool is_right(const Question& question, const Answer& answer) {
  if (answer.reason != FinishReason::kEnd) return false;
  if (question.match == "exact") return answer.text == question.expect;
  if (question.match == "ends") return answer.text.find(question.expect) != std::string::npos;
  const Json said = Json::parse(answer.text, nullptr, /*allow_exceptions=*/false);
  return question.match == "json" && said.is_object() && said.dump() == Json::parse(question.expect).dump();
}

}  // namespace lfm::test
