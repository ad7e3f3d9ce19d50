// The machine that a model runs on.
#pragma once

#include <cstdint>
#include <string>

#include "lfm/export.h"

namespace lfm {

// "AMD Ryzen 9 7950X 16-Core Processor"; empty where the system doesn't tell.
LFM_API std::string cpu_name();

// The most memory that this process has had in use, in bytes; 0 where the system doesn't tell.
LFM_API std::uint64_t peak_memory_bytes();

}  // namespace lfm
