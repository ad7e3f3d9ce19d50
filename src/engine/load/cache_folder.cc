#include "engine/load/cache_folder.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "base/file.h"
#include "base/folder.h"
#include "base/try.h"
#include "format/pack_file.h"

namespace lfm::engine {
namespace {

bool is_gone(const std::string& origin) {
  return !origin.empty() && !base::exists(origin) && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

bool is_cached_name(std::string_view name) {
  if (!name.ends_with(kCachedSuffix) || name.size() < 1 + kCachedIdDigits + kCachedSuffix.size()) return false;
  const std::string_view id =
      name.substr(name.size() - kCachedSuffix.size() - kCachedIdDigits - 1, 1 + kCachedIdDigits);
  return id[0] == '-' && id.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

Result<std::vector<CachedPack>> cached_packs(const std::string& folder) {
  std::vector<CachedPack> packs;
  LFM_ASSIGN(const std::vector<std::string> names, base::names_in(folder));
  for (const std::string& name : names) {
    if (!is_cached_name(name)) continue;
    const std::string path = base::in_folder(folder, name);
    const auto file = base::File::open_read(path, base::File::Links::kRefuse, base::File::Use::kDoesntCount);
    if (!file.ok() || !file->guarded()) continue;
    const auto packed = format::PackFile::begins(*file);
    if (!packed.ok() || !*packed) continue;
    // One of another version doesn't say where it comes from.
    auto origin = format::PackFile::origin(*file);
    std::string source = origin.ok() ? *std::move(origin) : "";
    const bool orphaned = is_gone(source);
    packs.push_back({path, std::move(source), orphaned, file->size(), file->last_used()});
  }
  return packs;
}

Removed make_room(const std::string& folder, const std::string& path, std::uint64_t bytes, std::uint64_t most) {
  auto listed = cached_packs(folder);
  std::vector<CachedPack> packs = listed.ok() ? *std::move(listed) : std::vector<CachedPack>();
  std::erase_if(packs, [&](const CachedPack& pack) { return pack.path == path; });
  std::sort(packs.begin(), packs.end(), [](const CachedPack& a, const CachedPack& b) {
    return a.orphaned != b.orphaned ? a.orphaned : a.last_used < b.last_used;
  });
  std::uint64_t all = std::accumulate(packs.begin(), packs.end(), bytes,
                                      [](std::uint64_t sum, const CachedPack& pack) { return sum + pack.bytes; });
  Removed removed;
  for (const CachedPack& pack : packs) {
    if (!pack.orphaned && all <= most) break;
    if (!base::remove_file(pack.path)) continue;
    all -= pack.bytes;
    removed.files += 1;
    removed.bytes += pack.bytes;
  }
  return removed;
}

}  // namespace lfm::engine
