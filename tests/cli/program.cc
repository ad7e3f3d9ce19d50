#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace lfm::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(60);

int wait_ms(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

// Only what is safe between fork and exec; the vectors were made before.
[[noreturn]] void become_program(const std::vector<char*>& argv, const std::vector<Variable>& environment) {
  for (const Variable& variable : environment) ::setenv(variable.name.c_str(), variable.value.c_str(), 1);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::vector<char*> argv_of(const std::vector<std::string>& arguments) {
  static char program[] = LFM_PROGRAM;
  std::vector<char*> argv = {program};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

// Reads what is there; closes the pipe at its end.
void take(Pipe& pipe, std::string& into) {
  char buffer[4096];
  const ssize_t n = ::read(pipe.ends[0], buffer, sizeof(buffer));
  if (n > 0) {
    into.append(buffer, static_cast<std::size_t>(n));
  } else if (n == 0 || errno != EINTR) {
    pipe.close(0);
  }
}

void set_up_files(const Launch& launch, const Pipe& in, const Pipe& out, const Pipe& err) {
  if (launch.close_input) {
    ::close(STDIN_FILENO);
  } else {
    ::dup2(in.ends[0], STDIN_FILENO);
  }
  ::dup2(err.ends[1], STDERR_FILENO);
  if (launch.out == Sink::kFull) {
    ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
  } else if (launch.out == Sink::kClosed) {
    ::close(STDOUT_FILENO);
  } else {
    ::dup2(out.ends[1], STDOUT_FILENO);
  }
}

}  // namespace

Outcome run_program(const Launch& launch) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  const std::vector<char*> argv = argv_of(launch.arguments);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    set_up_files(launch, in, out, err);
    become_program(argv, launch.environment);
  }
  in.close(0);
  out.close(1);
  err.close(1);
  Outcome outcome;
  std::string_view input = launch.input;
  bool signalled = launch.signal == 0;
  const auto until = Clock::now() + kPatience;
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    if (input.empty() && signalled) in.close(1);
    pollfd files[] = {
        {out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {input.empty() ? -1 : in.ends[1], POLLOUT, 0}};
    if (::poll(files, 3, wait_ms(until)) == 0) {
      ::kill(child, SIGKILL);
      break;
    }
    if (files[0].revents != 0) take(out, outcome.out);
    if (files[1].revents != 0) take(err, outcome.err);
    if (files[2].revents != 0) {
      const ssize_t n = ::write(in.ends[1], input.data(), std::min(input.size(), std::size_t{4096}));
      input = n > 0 ? input.substr(static_cast<std::size_t>(n)) : std::string_view();
    }
    if (!signalled && outcome.out.find(launch.signal_after) != std::string::npos) {
      ::kill(child, launch.signal);
      signalled = true;
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.status = status_of(status);
  return outcome;
}

PseudoTerminal::PseudoTerminal(const std::vector<std::string>& arguments, const std::vector<Variable>& environment) {
  winsize size{};
  size.ws_row = 30;
  size.ws_col = 100;
  if (::openpty(&terminal_, &slave_, nullptr, nullptr, &size) != 0) throw std::runtime_error("no pseudo-terminal");
  ::fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  ::fcntl(slave_, F_SETFD, FD_CLOEXEC);
  const std::vector<char*> argv = argv_of(arguments);
  child_ = ::fork();
  if (child_ < 0) throw std::runtime_error("no process");
  if (child_ == 0) {
    ::setsid();
    ::ioctl(slave_, TIOCSCTTY, 0);
    for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(slave_, file);
    become_program(argv, environment);
  }
}

PseudoTerminal::~PseudoTerminal() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(terminal_);
  ::close(slave_);
}

void PseudoTerminal::type(std::string_view keys) {
  while (!keys.empty()) {
    const ssize_t n = ::write(terminal_, keys.data(), keys.size());
    if (n < 0) return;
    keys.remove_prefix(static_cast<std::size_t>(n));
  }
}

void PseudoTerminal::resize(unsigned short columns) {
  winsize size{};
  size.ws_row = 30;
  size.ws_col = columns;
  ::ioctl(terminal_, TIOCSWINSZ, &size);
}

bool PseudoTerminal::read_some(Clock::time_point until) {
  pollfd file{terminal_, POLLIN, 0};
  if (::poll(&file, 1, wait_ms(until)) <= 0) return false;
  char buffer[4096];
  const ssize_t n = ::read(terminal_, buffer, sizeof(buffer));
  if (n <= 0) return false;
  text_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

bool PseudoTerminal::wait_for(std::string_view wanted) {
  const auto until = Clock::now() + kPatience;
  while (true) {
    const std::size_t at = text_.find(wanted, seen_);
    if (at != std::string::npos) {
      seen_ = at + wanted.size();
      return true;
    }
    if (!read_some(until)) return false;
  }
}

bool PseudoTerminal::wait_for_bytes(std::size_t count) {
  const auto until = Clock::now() + kPatience;
  while (text_.size() < seen_ + count) {
    if (!read_some(until)) return false;
  }
  return true;
}

int PseudoTerminal::wait_for_end() {
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    read_some(Clock::now() + std::chrono::milliseconds(20));
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = -1;
      while (read_some(Clock::now())) {
      }
      return status_of(status);
    }
  }
  return -1;
}

bool PseudoTerminal::cooked() const {
  termios mode{};
  return ::tcgetattr(slave_, &mode) == 0 && (mode.c_lflag & ICANON) != 0 && (mode.c_lflag & ECHO) != 0;
}

}  // namespace lfm::test
