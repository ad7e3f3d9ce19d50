#include "lfm/machine.h"

#include "base/cpu.h"
#include "base/memory.h"

namespace lfm {

std::string cpu_name() {
  return base::cpu_name();
}

std::uint64_t peak_memory_bytes() {
  return base::peak_memory_bytes();
}

}  // namespace lfm
