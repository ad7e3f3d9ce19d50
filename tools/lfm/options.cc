#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "command.h"
#include "habits.h"
#include "io.h"
#include "talk/terminal_text.h"
#include "usage.h"

namespace lfm::cli {
namespace {

// With the upper bound, where it is a small one or `beyond` says that the number was more.
std::string expected(bool whole, Bounds bounds, bool beyond) {
  char text[96];
  std::snprintf(text, sizeof text,
                bounds.most < 1e9 || beyond ? "expected a %s from %.16g to %.16g" : "expected a %s from %.16g",
                whole ? "whole number" : "number", bounds.least, bounds.most);
  return text;
}

// As it may be said again: on one line, and not longer than that.
std::string said(const std::string& typed) {
  constexpr std::size_t kMost = 40;
  std::string text = shown(typed.substr(0, kMost));
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return "'" + text + (typed.size() > kMost ? "...'" : "'");
}

template <typename Number>
bool read_number(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  return code == std::errc() && stop == end;
}

void take_or_throw(const Command::Take& take, const char* names, const std::string& typed) {
  if (const std::string problem = take(typed); !problem.empty())
    throw CLI::ValidationError(names, problem + ", not " + said(typed));
}

}  // namespace

Option& Option::type(const char* name) {
  option_->type_name(name);
  return *this;
}

Option& Option::shows(const std::string& by_default) {
  option_->default_str(by_default);
  return *this;
}

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

Option Command::flag(const char* names, bool& value, const char* help) {
  return Option(*app_.add_flag(names, value, help));
}

Option Command::text(const char* names, std::string& value, const char* help) {
  return Option(*app_.add_option(names, value, help)).type("TEXT");
}

Option Command::text(const char* names, std::optional<std::string>& value, const char* help) {
  return Option(*app_.add_option(names, value, help)).type("TEXT");
}

Option Command::texts(const char* names, std::vector<std::string>& values, const char* help) {
  return Option(*app_.add_option(names, values, help)).type("TEXT");
}

Option Command::choice(const char* names, std::string& value, std::initializer_list<const char*> choices,
                       const char* help) {
  const std::vector<std::string> all(choices.begin(), choices.end());
  return Option(
      *app_.add_option(names, value, help)->transform(CLI::IsMember(all, CLI::ignore_case))->capture_default_str());
}

Option Command::value(const char* names, Take take, const char* help) {
  const auto set = [names, take](const std::string& typed) { take_or_throw(take, names, typed); };
  return Option(*app_.add_option_function<std::string>(names, set, help)).type("N");
}

Option Command::list(const char* names, std::function<void()> clear, Take take, const char* help) {
  const auto set = [names, clear, take](const std::vector<std::string>& all) {
    clear();
    for (const std::string& typed : all) take_or_throw(take, names, typed);
  };
  return Option(*app_.add_option_function<std::vector<std::string>>(names, set, help)->delimiter(',')).type("N,...");
}

Command::Take Command::number_taker(bool whole, Bounds bounds, Set set) {
  return [whole, bounds, set](const std::string& typed) -> std::string {
    double number = 0;
    std::int64_t integer = 0;
    const bool read = whole ? read_number(typed, integer) : read_number(typed, number);
    if (whole) number = static_cast<double>(integer);
    if (!read || !(number >= bounds.least && number <= bounds.most)) {
      double typed_number = 0;
      return expected(whole, bounds, read_number(typed, typed_number) && typed_number > bounds.most);
    }
    set(number);
    return {};
  };
}

void Command::needs(std::function<const char*()> missing) {
  missing_.push_back(std::move(missing));
}

void Command::refuses(std::function<std::string()> wrong) {
  wrong_.push_back(std::move(wrong));
}

void Command::runs(std::function<int()> action) {
  action_ = std::move(action);
}

CommandLine::CommandLine(const char* name, const char* description, const char* version)
    : app_(std::make_unique<CLI::App>(description)) {
  app_->name(name);
  app_->require_subcommand(1);
  app_->set_help_all_flag("--help-all", "Help for all commands");
  app_->set_version_flag("--version", version);
}

CommandLine::~CommandLine() = default;

Command& CommandLine::add(const char* name, const char* description) {
  return *commands_.emplace_back(std::make_unique<Command>(*app_->add_subcommand(name, description)));
}

int CommandLine::misused(const std::vector<std::string>& sentences) {
  constexpr std::size_t kMost = 300;
  for (const std::string& sentence : sentences) {
    std::string line = shown(sentence.substr(0, kMost));
    std::replace(line.begin(), line.end(), '\n', ' ');
    write_err("lfm: " + line + (sentence.size() > kMost ? "..." : "") + "\n");
  }
  write_err("Run with --help for more information.\n");
  return kUsage;
}

const Command* CommandLine::find(std::string_view name) const {
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [&](const auto& command) { return command->app_.get_name() == name; });
  return found == commands_.end() ? nullptr : found->get();
}

bool CommandLine::has_option(std::string_view command, std::string_view option) const {
  const Command* const found = find(command);
  return found != nullptr && option.starts_with('-') && found->app_.get_option_no_throw(std::string(option)) != nullptr;
}

// Help and the like.
int CommandLine::show(const CLI::Success& asked, const std::vector<std::string>& words) const {
  if (!words.empty() && !words[0].starts_with('-') && find(words[0]) == nullptr)
    return misused({what_is_wrong(words, nullptr)});
  std::ostringstream out;
  app_->exit(asked, out, out);
  return write_out(out.str()) && flush_out() ? kOk : fail_to_write();
}

// Where all values were read, but something is missing or too many.
std::string CommandLine::what_is_wrong(const std::vector<std::string>& words, const char* missing) const {
  std::vector<std::string> names;
  const Command* chosen = nullptr;
  for (const auto& command : commands_) {
    names.push_back(command->app_.get_name());
    if (command->app_.parsed()) chosen = command.get();
  }
  if (chosen == nullptr) return no_command(words, names);
  std::vector<std::string> rest = app_->remaining(true);
  // In the order in which they were typed.
  std::stable_sort(rest.begin(), rest.end(), [&](const std::string& a, const std::string& b) {
    return std::find(words.begin(), words.end(), a) < std::find(words.begin(), words.end(), b);
  });
  std::vector<std::string> options;
  for (const CLI::Option* option : chosen->app_.get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  const std::string name = chosen->app_.get_name();
  const auto unknown =
      std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return word.starts_with('-'); });
  if (unknown != rest.end()) return no_such_word(*unknown, name, options);
  if (missing == nullptr) return no_such_word(rest.empty() ? "" : rest[0], name, options);
  if (std::string_view(missing).starts_with("--model")) return without_a_model(name);
  if (std::string_view(missing).starts_with("name ")) return without_a_name(name);
  return missing;
}

// Where an option has more values than one: one of them may be a word that nothing announced, and was taken for it.
std::string CommandLine::too_many(const std::vector<std::string>& words, const std::string& option) const {
  const Command* const command = words.empty() ? nullptr : find(words[0]);
  const CLI::Option* const twice = command == nullptr ? nullptr : command->app_.get_option_no_throw(option);
  for (std::size_t i = 1; twice != nullptr && i < words.size(); ++i) {
    const std::vector<std::string>& values = twice->results();
    if (std::find(values.begin(), values.end(), words[i]) == values.end()) continue;
    const std::string& before = words[i - 1];
    if (i == 1 || !before.starts_with('-') || command->app_.get_option_no_throw(before) != twice)
      return no_such_word(words[i], words[0], {});
  }
  return option + " is there more than once";
}

int CommandLine::run(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto has = [this](std::string_view command, std::string_view option) { return has_option(command, option); };
  if (const auto problems = translate_habits(words, has); !problems.empty()) return misused(problems);
  const Command* chosen = nullptr;
  try {
    app_->parse(std::vector<std::string>(words.rbegin(), words.rend()));  // as CLI11 takes them
    for (const auto& command : commands_) {
      if (command->app_.parsed()) chosen = command.get();
    }
    for (const auto& missing : chosen->missing_) {
      if (const char* const name = missing()) throw CLI::RequiredError(name);
    }
  } catch (const CLI::RequiredError& error) {
    return misused({what_is_wrong(words, error.what())});
  } catch (const CLI::ExtrasError&) {
    return misused({what_is_wrong(words, nullptr)});
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string said = error.what();
    const std::string option = said.substr(0, said.find(':'));
    return misused({said.find("missing") != said.npos ? option + ": its value is missing" : too_many(words, option)});
  } catch (const CLI::Success& asked) {
    return show(asked, words);
  } catch (const CLI::ParseError& error) {
    return misused({error.what()});
  }
  for (const auto& wrong : chosen->wrong_) {
    if (const std::string sentence = wrong(); !sentence.empty()) return misused({sentence});
  }
  return chosen->action_();
}

}  // namespace lfm::cli
