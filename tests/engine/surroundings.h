// What of the process belongs to the application: no call of the library may leave it changed.
#pragma once

#include <fenv.h>
#include <gtest/gtest.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <locale>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

extern char** environ;

namespace lfm::test {

// All modes of floating point, some of which fenv.h leaves alone, without the exceptions that came.
inline std::uint64_t float_control() {
#if defined(__x86_64__)
  return _mm_getcsr() & ~unsigned{_MM_EXCEPT_MASK};
#elif defined(__aarch64__)
  std::uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
#else
  return static_cast<std::uint64_t>(::fegetround());
#endif
}

// All of it as text, so that a difference shows.
inline std::string surroundings() {
  std::string all;
#if defined(__x86_64__)
  all += "mxcsr " + std::to_string(_mm_getcsr());
#else
  all += "modes " + std::to_string(float_control());
#endif
  all += ", rounding " + std::to_string(::fegetround());
  all += ", locale " + std::string(::setlocale(LC_ALL, nullptr)) + " " + std::locale().name();
  sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  all += ", signals ";
  for (int number = 1; number < SIGRTMAX; ++number) {
    struct sigaction action;
    if (::sigaction(number, nullptr, &action) != 0) continue;
    const bool standard = action.sa_handler == SIG_DFL;
    all += sigismember(&blocked, number) == 1 ? 'b' : standard ? '.' : 'h';
  }
  all += ", folder " + std::filesystem::current_path().string();
  for (char** variable = environ; *variable != nullptr; ++variable) all += "\n" + std::string(*variable);
  return all;
}

// The modes of floating point that an application may have set: how it rounds, and whether it takes the smallest
// numbers as zero (as those do that are built with -ffast-math); on ARM then also those of 16 bits, which it has
// without infinities, and one NaN for all.
class FloatMode {
 public:
  FloatMode(int rounding, bool flush) {
    ::fegetenv(&before_);
    ::fesetround(rounding);
#if defined(__x86_64__)
    if (flush) _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
    constexpr std::uint64_t kFlush16 = 1 << 19, kFlush = 1 << 24, kOneNan = 1 << 25, kNoInfinities16 = 1 << 26;
    if (flush) set(float_control() | kFlush16 | kFlush | kOneNan | kNoInfinities16);
#endif
  }
  ~FloatMode() {
    ::fesetenv(&before_);
#if defined(__aarch64__)
    set(control_);
#endif
  }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  fenv_t before_;
#if defined(__aarch64__)
  static void set(std::uint64_t control) {
    asm volatile("msr fpcr, %0" : : "r"(control));
  }
  const std::uint64_t control_ = float_control();
#endif
};

// Numbers as some countries write them: 1.234,5.
class CommaLocale {
 public:
  CommaLocale() : before_(std::locale::global(std::locale(std::locale(), new Punctuation))) {
    const char* c_before = ::setlocale(LC_ALL, nullptr);
    c_before_ = c_before != nullptr ? c_before : "C";
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
      if (::setlocale(LC_ALL, name) != nullptr) break;  // where one is installed
    }
  }
  ~CommaLocale() {
    std::locale::global(before_);
    ::setlocale(LC_ALL, c_before_.c_str());
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;

 private:
  struct Punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  std::locale before_;
  std::string c_before_;
};

}  // namespace lfm::test
