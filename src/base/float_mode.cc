#include "base/float_mode.h"

namespace lfm::base {

void FloatEnvironment::keep() noexcept {
  ::fegetenv(&environment_);
#if defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(control_));
#endif
}

void FloatEnvironment::restore() const noexcept {
  ::fesetenv(&environment_);
#if defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(control_));
#endif
}

void FloatEnvironment::set_default() noexcept {
  ::fesetenv(FE_DFL_ENV);
#if defined(__aarch64__)
  asm volatile("msr fpcr, xzr");
#endif
}

thread_local DefaultFloatMode* DefaultFloatMode::current_ = nullptr;

DefaultFloatMode::DefaultFloatMode() noexcept {
  if (current_ != nullptr) return;
  before_.keep();
  FloatEnvironment::set_default();
  current_ = this;
}

DefaultFloatMode::~DefaultFloatMode() {
  if (current_ != this) return;
  before_.restore();
  current_ = nullptr;
}

CallersFloatMode::CallersFloatMode() noexcept : inside_(DefaultFloatMode::current_) {
  if (inside_ == nullptr) return;
  inside_->before_.restore();
  DefaultFloatMode::current_ = nullptr;
}

CallersFloatMode::~CallersFloatMode() {
  if (inside_ == nullptr) return;
  inside_->before_.keep();  // which the function may have changed
  FloatEnvironment::set_default();
  DefaultFloatMode::current_ = inside_;
}

}  // namespace lfm::base
