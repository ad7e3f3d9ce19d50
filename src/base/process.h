// Which process it is. After fork(2) the child has all memory of its parent, and of its threads only the one that
// called.
#pragma once

#include <sys/types.h>

namespace lfm::base {

class Process {
 public:
  Process() noexcept;             // that makes it
  bool is_this() const noexcept;  // and not a child of it

 private:
  pid_t id_;
};

}  // namespace lfm::base
