#include "base/process.h"

#include <unistd.h>

namespace lfm::base {

Process::Process() noexcept : id_(::getpid()) {}

bool Process::is_this() const noexcept {
  return id_ == ::getpid();
}

}  // namespace lfm::base
