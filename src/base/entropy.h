// Randomness from the system.
#pragma once

#include <cstdint>

namespace lfm::base {

// Another one each time, for seeds; where the system gives none, made of the time and the process.
std::uint64_t random_word() noexcept;

}  // namespace lfm::base
