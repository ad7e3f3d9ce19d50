#include "talk/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "interrupt.h"

namespace lfm::cli {
namespace {

using Event = TerminalSignals::Event;

constexpr std::array kSignals = {SIGINT, SIGTSTP, SIGWINCH, SIGCONT, SIGTERM, SIGHUP, SIGQUIT};

// A handler may run on any thread, so it doesn't end the wait by itself: it writes the signal's number into this pipe.
int pipe_ends[2] = {-1, -1};
std::atomic<bool> listening{false};
termios at_start;
bool has_terminal = false;
std::array<struct sigaction, kSignals.size()> before;

// Safe in a signal handler.
void give_terminal_back() {
  static constexpr char kNoBracketedPaste[] = "\x1b[?2004l";
  if (!has_terminal) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &at_start);
  [[maybe_unused]] const ssize_t n = ::write(STDOUT_FILENO, kNoBracketedPaste, sizeof(kNoBracketedPaste) - 1);
}

// Likewise. Whoever looks meanwhile finds the terminal as it was at the start; afterwards it is as it was before.
void stop_in_order() {
  termios now;
  const bool known = has_terminal && tcgetattr(STDIN_FILENO, &now) == 0;
  give_terminal_back();
  raise(SIGSTOP);  // on this thread, so that it is done when this returns
  if (known) tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

void on_signal(int number) {
  const int saved = errno;
  if (number == SIGTERM || number == SIGHUP || number == SIGQUIT) {
    give_terminal_back();
    signal(number, SIG_DFL);
    raise(number);  // when the handler has returned
  } else if (number == SIGTSTP && !listening.load()) {
    stop_in_order();
  } else {
    const auto byte = static_cast<unsigned char>(number);
    [[maybe_unused]] const ssize_t n = ::write(pipe_ends[1], &byte, 1);
  }
  errno = saved;
}

Event event_of(int number) {
  switch (number) {
    case SIGINT:
      return Event::kInterrupt;
    case SIGTSTP:
      return Event::kStop;
    case SIGCONT:
      return Event::kContinue;
    default:
      return Event::kResize;
  }
}

}  // namespace

TerminalSignals::TerminalSignals() {
  has_terminal = tcgetattr(STDIN_FILENO, &at_start) == 0;
  if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) pipe_ends[0] = pipe_ends[1] = -1;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before[i]);
  InterruptGuard::set_farewell(give_terminal_back);
}

TerminalSignals::~TerminalSignals() {
  InterruptGuard::set_farewell(nullptr);
  give_terminal_back();  // before a signal can end the program
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
  for (int& end : pipe_ends) {
    if (end >= 0) ::close(end);
    end = -1;
  }
}

Event TerminalSignals::wait() {
  pollfd files[] = {{pipe_ends[0], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  while (true) {
    const int ready = ::poll(files, 2, -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Event::kLost;
    unsigned char number = 0;
    if ((files[0].revents & POLLIN) != 0 && ::read(pipe_ends[0], &number, 1) == 1) return event_of(number);
    if ((files[1].revents & POLLNVAL) != 0) return Event::kLost;
    if (files[1].revents != 0) return Event::kInput;
  }
}

TerminalSignals::Listener::Listener() {
  listening.store(true);
}

TerminalSignals::Listener::~Listener() {
  listening.store(false);
}

void TerminalSignals::stop() {
  raise(SIGSTOP);
}

QuietKeyboard::QuietKeyboard() {
  termios quiet = at_start;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  quiet.c_cc[VMIN] = 1;
  quiet.c_cc[VTIME] = 0;
  if (has_terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
}

QuietKeyboard::~QuietKeyboard() {
  if (has_terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, &at_start);
}

}  // namespace lfm::cli
