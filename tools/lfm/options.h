// What the program takes on its command line. All of CLI11 is behind it, which takes seconds to compile.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace CLI {
class App;
class Option;
class Success;
}  // namespace CLI

namespace lfm::cli {

// What a number may be. A large `most` is told to those alone who went beyond it.
struct Bounds {
  double least;
  double most = 9007199254740992;  // 2^53: whole numbers up to here are doubles too
};

// An option of a command, or an argument without a name.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}
  Option& type(const char* name);                // what --help calls its value
  Option& shows(const std::string& by_default);  // in --help
  Option& required();
  Option& excludes(const Option& other);
  Option& needs(const Option& other);

 private:
  CLI::Option* option_;
};

// A sub-command. Names are "-p,--prompt", or "model" for an argument that has none. Values outlive the parsing.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(app) {}

  Option flag(const char* names, bool& value, const char* help);
  Option text(const char* names, std::string& value, const char* help);
  Option text(const char* names, std::optional<std::string>& value, const char* help);
  Option texts(const char* names, std::vector<std::string>& values, const char* help);
  Option choice(const char* names, std::string& value, std::initializer_list<const char*> choices, const char* help);

  // `take` gets what was typed, and returns what is wrong with it: "expected ..."; empty where nothing is.
  using Take = std::function<std::string(const std::string& typed)>;
  Option value(const char* names, Take take, const char* help);

  // A whole number or another one, as the type of `value` has it.
  template <typename T>
  Option number(const char* names, T& value, Bounds bounds, const char* help) {
    return value_of<T>(
        names, bounds, [&value](double typed) { value = static_cast<T>(typed); }, help);
  }
  template <typename T>
  Option number(const char* names, std::optional<T>& value, Bounds bounds, const char* help) {
    return value_of<T>(
        names, bounds, [&value](double typed) { value = static_cast<T>(typed); }, help);
  }

  // Likewise several, between commas, instead of those in `values`.
  template <typename T>
  Option numbers(const char* names, std::vector<T>& values, Bounds bounds, const char* help) {
    return list(
        names, [&values] { values.clear(); },
        number_taker(std::is_integral_v<T>, bounds, [&values](double n) { values.push_back(static_cast<T>(n)); }),
        help);
  }

  // Asked when all options are read: null where what it looks at is there, otherwise the name of what is missing.
  void needs(std::function<const char*()> missing);

  // Asked then too: empty, or a sentence about what goes together badly.
  void refuses(std::function<std::string()> wrong);

  // What to do where this command is chosen; returns the exit status.
  void runs(std::function<int()> action);

 private:
  friend class CommandLine;
  using Set = std::function<void(double)>;
  static Take number_taker(bool whole, Bounds bounds, Set set);
  Option list(const char* names, std::function<void()> clear, Take take, const char* help);

  template <typename T>
  Option value_of(const char* names, Bounds bounds, Set set, const char* help) {
    return value(names, number_taker(std::is_integral_v<T>, bounds, std::move(set)), help);
  }

  CLI::App& app_;
  std::vector<std::function<const char*()>> missing_;
  std::vector<std::function<std::string()>> wrong_;
  std::function<int()> action_;
};

class CommandLine {
 public:
  CommandLine(const char* name, const char* description, const char* version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command& add(const char* name, const char* description);

  const CLI::App& app() const noexcept { return *app_; }

  // Does what the arguments say, and returns the exit status. Prints help, and what is wrong with the arguments.
  int run(int argc, char** argv);

 private:
  static int misused(const std::vector<std::string>& sentences);  // a line each
  const Command* find(std::string_view name) const;
  bool has_option(std::string_view command, std::string_view option) const;
  int show(const CLI::Success& asked, const std::vector<std::string>& words) const;
  std::string what_is_wrong(const std::vector<std::string>& words, const char* missing) const;
  std::string too_many(const std::vector<std::string>& words, const std::string& option) const;

  std::unique_ptr<CLI::App> app_;
  std::vector<std::unique_ptr<Command>> commands_;
};

}  // namespace lfm::cli
