#include "exam.h"

#include <memory>
#include <string_view>
#include <utility>

#include "command.h"
#include "input.h"
#include "io.h"
#include "progress_line.h"
#include "talk/json_text.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

Error bad(std::string message) {
  return {ErrorCode::kFormat, std::move(message)};
}

Result<std::string> text_of(const Json& question, const char* name) {
  const auto at = question.find(name);
  if (at == question.end() || !at->is_string()) return bad(std::string("a question needs the text \"") + name + "\"");
  return at->get<std::string>();
}

Result<ExamQuestion> read_question(std::string_view text) {
  auto json = parse_json(text);
  if (!json.ok()) return bad(json.error().describe());
  if (!json->is_object()) return bad("a question is a JSON object");
  ExamQuestion question;
  auto prompt = text_of(*json, "text"), expected = text_of(*json, "expect");
  if (!prompt.ok()) return std::move(prompt).error();
  if (!expected.ok()) return std::move(expected).error();
  question.prompt = *std::move(prompt);
  question.expected = *std::move(expected);
  if (const auto kind = json->find("kind"); kind != json->end() && kind->is_string())
    question.kind = kind->get<std::string>();
  if (const auto tokens = json->find("max_tokens"); tokens != json->end()) {
    if (!tokens->is_number_unsigned() || tokens->get<std::uint64_t>() == 0)
      return bad("max_tokens is a number from 1 on");
    question.max_tokens = tokens->get<std::size_t>();
  }
  if (const auto match = json->find("match"); match != json->end()) {
    // "ends" is what models/nano's questions call it: the answer contains it, and ends by itself, as all have to.
    constexpr std::pair<const char*, ExamMatch> kMatches[] = {{"exact", ExamMatch::kExact},
                                                              {"contains", ExamMatch::kContains},
                                                              {"ends", ExamMatch::kContains},
                                                              {"json", ExamMatch::kJson}};
    bool known = false;
    for (const auto& [name, value] : kMatches) {
      if (*match != name) continue;
      question.match = value;
      known = true;
    }
    if (!known) return bad("match is \"exact\", \"contains\" or \"json\"");
  }
  return question;
}

}  // namespace

Result<std::vector<ExamQuestion>> read_exam(const std::string& path) {
  auto text = read_input(path);
  if (!text.ok()) return std::move(text).error();
  std::vector<ExamQuestion> questions;
  std::string_view rest = *text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto question = read_question(one);
    if (!question.ok()) {
      Error error = std::move(question).error();
      error.field = shown_name(path) + ":" + std::to_string(line);
      return error;
    }
    questions.push_back(*std::move(question));
  }
  if (questions.empty()) return Error{ErrorCode::kFormat, "no question is in it", shown_name(path)};
  return questions;
}

int run_exam(const Engine& engine, const std::vector<ExamQuestion>& questions, bool show,
             const SessionOptions& session) {
  auto line = std::make_unique<ProgressLine>();
  bool written = true;
  const auto told = [&](const ExamResult& so_far, std::string_view answer, bool right) {
    if (show && !right) {
      const ExamQuestion& question = questions[so_far.all.asked - 1];
      print_out("%s\n  expected: %s\n  answered: %s\n", json_line(question.prompt).c_str(),
                json_line(question.expected).c_str(), json_line(std::string(answer)).c_str());
      written = flush_out();
    }
    line->show(static_cast<double>(so_far.all.asked) / static_cast<double>(questions.size()), "answered");
    return written;
  };
  const auto result = hold_exam(engine, questions, told, session);
  line.reset();
  if (!written) return fail_to_write();
  if (!result.ok()) return fail(result.error());
  const auto print = [](const char* name, const ExamScore& score) {
    print_out("%-20s %5zu of %5zu  %5.1f %%\n", name, score.right, score.asked,
              100 * static_cast<double>(score.right) / static_cast<double>(score.asked));
  };
  for (const ExamScore& score : result->kinds) {
    if (!score.kind.empty()) print(shown_name(score.kind).c_str(), score);
  }
  print("all", result->all);
  if (result->too_long > 0) {
    print_note(std::to_string(result->too_long) + " of them, which count as wrong, have more tokens than the context");
  }
  return flush_out() ? kOk : fail_to_write();
}

}  // namespace lfm::cli
