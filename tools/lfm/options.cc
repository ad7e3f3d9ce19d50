#include "options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "command.h"
#include "habits.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

std::string expected(bool whole, Bounds bounds) {
  char text[96];
  std::snprintf(text, sizeof text, bounds.most < 1e9 ? "expected a %s from %.15g to %.15g" : "expected a %s from %.15g",
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
  return Option(*app_.add_option(names, value, help)->check(CLI::IsMember(all))->capture_default_str());
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
    if (!read || !(number >= bounds.least && number <= bounds.most)) return expected(whole, bounds);
    set(number);
    return {};
  };
}

void Command::needs(std::function<const char*()> missing) {
  missing_ = std::move(missing);
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

int CommandLine::run(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (const std::string problem = translate_habits(words); !problem.empty()) {
    std::fprintf(stderr, "%s\nRun with --help for more information.\n", problem.c_str());
    return kUsage;
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  const Command* chosen = nullptr;
  try {
    app_->parse(std::move(words));
    for (const auto& command : commands_) {
      if (command->app_.parsed()) chosen = command.get();
    }
    if (const char* const missing = chosen->missing_ ? chosen->missing_() : nullptr) throw CLI::RequiredError(missing);
  } catch (const CLI::RequiredError& error) {
    // A word that is no command is what is wrong, and not that a command is missing.
    const bool unknown = app_->get_subcommands().empty() && !app_->remaining().empty();
    unknown ? app_->exit(CLI::ExtrasError(app_->remaining())) : app_->exit(error);
    return kUsage;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? kOk : kUsage;
  }
  return chosen->action_();
}

}  // namespace lfm::cli
