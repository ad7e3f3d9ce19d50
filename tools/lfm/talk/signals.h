// What happens to a program at a terminal: Ctrl-C, Ctrl-Z, a window that changes its size, a hang-up.
#pragma once

namespace lfm::cli {

// While it lives, the terminal's signals come to it; one at a time. A signal that ends the program gives the terminal
// back as it was. Ctrl-Z stops the program, as ever.
class TerminalSignals {
 public:
  TerminalSignals();
  ~TerminalSignals();
  TerminalSignals(const TerminalSignals&) = delete;
  TerminalSignals& operator=(const TerminalSignals&) = delete;

  enum class Event {
    kInput,      // bytes, or the end, can be read from standard input
    kInterrupt,  // Ctrl-C
    kStop,       // Ctrl-Z: put the terminal right, and call stop()
    kResize,     // the window has another size
    kContinue,   // somebody stopped the program and let it go on: the terminal may be in another mode
    kLost,       // standard input can't be waited for
  };

  // While it lives, Ctrl-Z comes to wait(), too; otherwise it stops the program at once.
  class Listener {
   public:
    Listener();
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
  };

  // Sleeps until something happens. What happened since the last call isn't missed.
  Event wait();

  // Stops the program until somebody lets it go on.
  void stop();
};

// While it lives, keys aren't shown, and wait for the next prompt. Ctrl-C and Ctrl-Z work.
class QuietKeyboard {
 public:
  QuietKeyboard();
  ~QuietKeyboard();
  QuietKeyboard(const QuietKeyboard&) = delete;
  QuietKeyboard& operator=(const QuietKeyboard&) = delete;
};

}  // namespace lfm::cli
