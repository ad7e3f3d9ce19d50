// The machine that a model runs on.
#pragma once

#include <cstdint>
#include <string>

#include "lfm/export.h"

namespace lfm {

// What it can do at most: the figures that speeds are judged by.
struct MachineLimits {
  double read_bytes_per_second = 0;       // all threads reading the model's weights from end to end, nothing else
  double int8_operations_per_second = 0;  // all threads multiplying and adding int8 in registers; each counts as two
};

// "AMD Ryzen 9 7950X 16-Core Processor"; empty where the system doesn't tell.
LFM_API std::string cpu_name();

// The most memory that this process has had in use, in bytes; 0 where the system doesn't tell.
LFM_API std::uint64_t peak_memory_bytes();

}  // namespace lfm
