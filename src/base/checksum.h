// A fast 64-bit checksum (XXH3) against accidents (bad disks, cut and overwritten files), not against somebody who
// makes a collision on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lfm::base {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed = 0) noexcept;

}  // namespace lfm::base
