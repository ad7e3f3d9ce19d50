// How a thread's floating-point arithmetic rounds, and what it does with the smallest numbers and with exceptions, is
// the application's to set. Results mustn't depend on it, and it mustn't change under the application.
#pragma once

#include <fenv.h>

#include <cstdint>

namespace lfm::base {

// All modes of a thread, and the exceptions that were flagged.
class FloatEnvironment {
 public:
  void keep() noexcept;           // those of the calling thread
  void restore() const noexcept;  // into the calling thread

  // To nearest, subnormal numbers as they are, no traps, no flags.
  static void set_default() noexcept;

 private:
  fenv_t environment_;
#if defined(__aarch64__)
  std::uint64_t control_;  // of whose modes fenv.h leaves some alone: how 16 bits are read
#endif
};

// The default mode for as long as it lives. Then the one before, with the exceptions that were flagged. One within
// another does nothing.
class DefaultFloatMode {
 public:
  DefaultFloatMode() noexcept;
  ~DefaultFloatMode();
  DefaultFloatMode(const DefaultFloatMode&) = delete;
  DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;

 private:
  friend class CallersFloatMode;
  static thread_local DefaultFloatMode* current_;
  FloatEnvironment before_;
};

// Inside of it the mode that the application had, while one of its functions is called.
class CallersFloatMode {
 public:
  CallersFloatMode() noexcept;
  ~CallersFloatMode();
  CallersFloatMode(const CallersFloatMode&) = delete;
  CallersFloatMode& operator=(const CallersFloatMode&) = delete;

 private:
  DefaultFloatMode* inside_;
};

}  // namespace lfm::base
