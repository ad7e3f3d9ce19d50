// lfm schema: whether a JSON schema can be held to.
#include <algorithm>
#include <chrono>
#include <memory>

#include "base/try.h"
#include "command.h"
#include "input.h"
#include "io.h"
#include "lfm/constraint.h"
#include "options.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

struct Options {
  std::string file;
  std::string tools;
  std::string regex;
  std::vector<std::string> check;
};

Result<std::string> input_of(const Options& options) {
  if (!options.regex.empty()) return options.regex;
  return read_input(options.tools.empty() ? options.file : options.tools);
}

Result<Constraint> compile(const Options& options, const std::string& text) {
  if (!options.regex.empty()) return Constraint::from_regex(text);
  if (!options.tools.empty()) return Constraint::from_tools(text);
  return Constraint::from_json_schema(text);
}

// What its texts are to be judged by: the standard itself, which a constraint may be stricter than.
Result<Constraint> compile_to_judge(const Options& options, const std::string& text, const Constraint& held) {
  if (!options.regex.empty() || !options.tools.empty()) return held;
  return Constraint::from_json_schema(text, {.formats_by_draft = true});
}

// One line; whether it is allowed. What is valid, but nothing that an answer says, is told as such.
Result<bool> judge(const std::string& file, const std::string& text, const Constraint& by, const Constraint& held) {
  const std::string name = shown_name(file);
  LFM_ASSIGN(const Constraint::Verdict verdict, by.check(text));
  if (!verdict.allowed) {
    print_out("refused at byte %llu of %s\n", static_cast<unsigned long long>(verdict.offset), name.c_str());
    return false;
  }
  LFM_ASSIGN(const Constraint::Verdict answer, held.check(text));
  if (answer.allowed) {
    print_out("allowed %s\n", name.c_str());
  } else {
    print_out("allowed %s, by a draft to which formats are remarks: answers hold to them, and differ at byte %llu\n",
              name.c_str(), static_cast<unsigned long long>(answer.offset));
  }
  return true;
}

// A word that says whose fault it is, and then what and where.
int refuse(const Error& error, std::size_t times) {
  const char* word = error.code == ErrorCode::kUnsupported ? "unsupported"
                     : error.code == ErrorCode::kLimit     ? "limit"
                                                           : "invalid";
  for (std::size_t i = 0; i < times; ++i) print_out("%s %s\n", word, error.describe().c_str());
  return flush_out() ? kFailure : fail_to_write();
}

int run_schema(const Options& options) {
  const auto text = input_of(options);
  if (!text.ok()) return fail(text.error());
  const auto begin = std::chrono::steady_clock::now();
  const auto constraint = compile(options, *text);
  const double milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  if (!constraint.ok()) return refuse(constraint.error(), std::max<std::size_t>(options.check.size(), 1));
  if (options.check.empty()) print_out("held, compiled in %.2f ms\n", milliseconds);
  if (options.check.empty()) return flush_out() ? kOk : fail_to_write();
  const auto by = compile_to_judge(options, *text, *constraint);
  if (!by.ok()) return refuse(by.error(), options.check.size());
  bool all = true;
  for (const std::string& file : options.check) {
    auto json = read_input(file);
    if (!json.ok()) return fail(json.error());
    // A text file's last line ends; the text doesn't go on with that.
    if (json->ends_with('\n')) json->pop_back();
    const auto allowed = judge(file, *json, *by, *constraint);
    if (!allowed.ok()) return fail(allowed.error());
    all = all && *allowed;
  }
  if (!flush_out()) return fail_to_write();
  return all ? kOk : kFailure;
}

}  // namespace

void add_schema(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("schema",
                              "Say whether a JSON schema can be held to exactly, and which texts it allows\n"
                              "Prints 'held' and the time it took to compile, or 'unsupported' with the keyword and "
                              "its JSON pointer, 'limit' or "
                              "'invalid'. With --check a line for each text: 'allowed', or 'refused' and the byte; one "
                              "that is refused makes the exit status 1.");
  const Option file = command.text("file", options->file, "JSON schema; - is standard input").type("FILE");
  const Option tools =
      command.text("--tools", options->tools, "a JSON list of tools instead").type("FILE").excludes(file);
  command.text("--regex", options->regex, "a regular expression instead").excludes(file).excludes(tools);
  command.texts("--check", options->check, "texts to be checked; JSON may be spelt in any way").type("FILE");
  command.needs([options] {
    return options->file.empty() && options->tools.empty() && options->regex.empty()
               ? "FILE with a JSON schema, --tools or --regex"
               : nullptr;
  });
  command.runs([options] { return run_schema(*options); });
}

}  // namespace lfm::cli
