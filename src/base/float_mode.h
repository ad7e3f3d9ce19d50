// How a thread's floating-point arithmetic rounds, and what it does with the smallest numbers and with exceptions, is
// the application's to set. Results mustn't depend on it, and it mustn't change under the application.
#pragma once

#include <fenv.h>

namespace lfm::base {

// The default mode for as long as it lives: to nearest, subnormal numbers as they are, no traps. Then the one before,
// with the exceptions that were flagged. One within another does nothing.
class DefaultFloatMode {
 public:
  DefaultFloatMode() noexcept {
    if (current_ != nullptr) return;
    ::fegetenv(&before_);
    ::fesetenv(FE_DFL_ENV);
    current_ = this;
  }
  ~DefaultFloatMode() {
    if (current_ != this) return;
    ::fesetenv(&before_);
    current_ = nullptr;
  }
  DefaultFloatMode(const DefaultFloatMode&) = delete;
  DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;

 private:
  friend class CallersFloatMode;
  static thread_local DefaultFloatMode* current_;
  fenv_t before_;
};

inline thread_local DefaultFloatMode* DefaultFloatMode::current_ = nullptr;

// Inside of it the mode that the application had, while one of its functions is called.
class CallersFloatMode {
 public:
  CallersFloatMode() noexcept : inside_(DefaultFloatMode::current_) {
    if (inside_ == nullptr) return;
    ::fesetenv(&inside_->before_);
    DefaultFloatMode::current_ = nullptr;
  }
  ~CallersFloatMode() {
    if (inside_ == nullptr) return;
    ::fegetenv(&inside_->before_);  // which the function may have changed
    ::fesetenv(FE_DFL_ENV);
    DefaultFloatMode::current_ = inside_;
  }
  CallersFloatMode(const CallersFloatMode&) = delete;
  CallersFloatMode& operator=(const CallersFloatMode&) = delete;

 private:
  DefaultFloatMode* inside_;
};

}  // namespace lfm::base
