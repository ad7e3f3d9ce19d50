// What this machine can do at most, measured now: the figures that speeds are judged by.
#pragma once

#include <cstdint>
#include <string>

#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

struct MachineLimits {
  double read_bytes_per_second = 0;       // all threads reading memory in order, from far more than the caches hold
  double int8_operations_per_second = 0;  // all threads multiplying and adding int8 in registers; each counts as two
};

// Measures for about a second with this many threads (0: as Engine::open takes). kNoMemory; kArgument, kLimit for
// threads; kUnsupported about the environment variable LFM_ISA.
LFM_API Result<MachineLimits> measure_machine(unsigned threads = 0);

// "AMD Ryzen 9 7950X 16-Core Processor"; empty where the system doesn't tell.
LFM_API std::string cpu_name();

// The most memory that this process has had in use, in bytes; 0 where the system doesn't tell.
LFM_API std::uint64_t peak_memory_bytes();

}  // namespace lfm
