// Ctrl-C while the model works.
#pragma once

#include <signal.h>

#include <string>

#include "lfm/session.h"

namespace lfm::cli {

// While it lives, Ctrl-C cancels what the session does; further ones are borne with until there were more than
// `patience`: then the program ends at once, with kInterrupted. One at a time.
class InterruptGuard {
 public:
  explicit InterruptGuard(Session& session, int patience = 1);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Since it was made.
  static bool interrupted() noexcept;

  // What to do before the program ends at once, from a signal handler: null for nothing.
  static void set_farewell(void (*farewell)()) noexcept;
};

// For as long as it lives, Ctrl-C says this sentence and ends the program with kInterrupted; where it was ignored, it
// still is.
class EndOnInterrupt {
 public:
  explicit EndOnInterrupt(const std::string& sentence);
  ~EndOnInterrupt();
  EndOnInterrupt(const EndOnInterrupt&) = delete;
  EndOnInterrupt& operator=(const EndOnInterrupt&) = delete;

 private:
  struct sigaction before_;
};

// Likewise from now on.
void end_on_interrupt(const std::string& sentence);

// For as long as it lives, Ctrl-C waits.
class NoInterrupt {
 public:
  NoInterrupt();
  ~NoInterrupt();
  NoInterrupt(const NoInterrupt&) = delete;
  NoInterrupt& operator=(const NoInterrupt&) = delete;

 private:
  sigset_t before_;
};

// What standard output gets then, so that what is there already is whole; null for nothing. Stays the caller's.
void set_closing_words(const char* words) noexcept;

}  // namespace lfm::cli
