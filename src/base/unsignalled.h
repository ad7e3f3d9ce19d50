// Signals are the application's: its threads handle them, not ours.
#pragma once

#include <signal.h>

namespace lfm::base {

// While it lives, the calling thread takes no signals, nor will the threads that it starts.
class Unsignalled {
 public:
#if defined(_WIN32)  // where no thread is interrupted by one
  Unsignalled() noexcept {}
  ~Unsignalled() {}
#else
  Unsignalled() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~Unsignalled() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
#endif
  Unsignalled(const Unsignalled&) = delete;
  Unsignalled& operator=(const Unsignalled&) = delete;

 private:
#if !defined(_WIN32)
  sigset_t before_;
#endif
};

}  // namespace lfm::base
