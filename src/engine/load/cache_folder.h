// The folder of the pack cache: which files in it are the cache's, and which of them go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/pack.h"
#include "lfm/result.h"

namespace lfm::engine {

inline constexpr std::string_view kCachedSuffix = ".lfm";
inline constexpr std::size_t kCachedIdDigits = 16;

// STEM-0123456789abcdef.lfm
bool is_cached_name(std::string_view name);

// As the public list_pack_cache(), in no order.
Result<std::vector<CachedPack>> cached_packs(const std::string& folder);

struct Removed {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

// Removes the packed files whose models lie no longer where they were packed from; and, where those that are left and
// `bytes` more are above `most`, as many others as it takes, those first that weren't used for longest. Never `path`,
// nor a file of others. What can't be looked at or removed stays.
Removed make_room(const std::string& folder, const std::string& path, std::uint64_t bytes, std::uint64_t most);

}  // namespace lfm::engine
