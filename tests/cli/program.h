// Runs the command line as a person or a script does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lfm::test {

struct Variable {
  std::string name;
  std::string value;
};

struct Outcome {
  int status = -1;  // exit status; 128 and the signal where one ended it
  std::string out;
  std::string err;
};

// What becomes of standard output: what it says, or where the program can't write it.
enum class Sink { kKept, kClosed, kFull };

struct Launch {
  std::vector<std::string> arguments;
  std::string input = {};
  std::vector<Variable> environment = {};
  Sink out = Sink::kKept;
  bool close_input = false;  // no standard input at all

  // Sends this signal once standard output says `signal_after`.
  int signal = 0;
  std::string signal_after = {};
};

// Runs the program to its end: 60 s at most, then it is killed.
Outcome run_program(const Launch& launch);

// The program in a pseudo-terminal of 100 columns and 30 lines. What the terminal got so far is in text(): the keys
// that the program echoed, and what it printed. Ends with the object, and the program with it.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(const std::vector<std::string>& arguments, const std::vector<Variable>& environment = {});
  ~PseudoTerminal();
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void type(std::string_view keys);
  void resize(unsigned short columns);

  // Waits until the terminal got this after what was waited for before. False after 60 s; text() tells what came.
  bool wait_for(std::string_view wanted);

  // Waits until so many bytes came after that.
  bool wait_for_bytes(std::size_t count);

  // Waits for the end, and returns the exit status as Outcome has it; -1 after 60 s.
  int wait_for_end();

  // Whether the terminal is in its usual mode: lines, echo.
  bool cooked() const;

  const std::string& text() const noexcept { return text_; }
  pid_t process() const noexcept { return child_; }

 private:
  bool read_some(std::chrono::steady_clock::time_point until);

  int terminal_ = -1;
  int slave_ = -1;  // held open, so that its mode can be looked at when the program has gone
  pid_t child_ = -1;
  std::string text_;
  std::size_t seen_ = 0;
};

}  // namespace lfm::test
