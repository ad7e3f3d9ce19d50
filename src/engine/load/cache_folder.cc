#include "engine/load/cache_folder.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "format/pack_file.h"

namespace lfm::engine {
namespace {

namespace fs = std::filesystem;

struct CachedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t last_used = 0;
  bool orphaned = false;  // its model is gone
};

bool is_gone(const std::string& origin) {
  std::error_code code;
  return !origin.empty() && fs::status(origin, code).type() == fs::file_type::not_found;
}

std::vector<CachedFile> cached_files(const std::string& folder, const std::string& except) {
  std::vector<CachedFile> files;
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    const std::string path = at->path().string();
    if (path == except || !is_cached_name(at->path().filename().string())) continue;
    const auto file = base::File::open_read(path, base::File::Links::kRefuse, base::File::Use::kDoesntCount);
    if (!file.ok() || !file->guarded()) continue;
    const auto packed = format::PackFile::begins(*file);
    if (!packed.ok() || !*packed) continue;
    // One of another version doesn't say where it comes from.
    const auto origin = format::PackFile::origin(*file);
    files.push_back({path, file->size(), file->last_used(), origin.ok() && is_gone(*origin)});
  }
  return files;
}

}  // namespace

bool is_cached_name(std::string_view name) {
  if (!name.ends_with(kCachedSuffix) || name.size() < 1 + kCachedIdDigits + kCachedSuffix.size()) return false;
  const std::string_view id =
      name.substr(name.size() - kCachedSuffix.size() - kCachedIdDigits - 1, 1 + kCachedIdDigits);
  return id[0] == '-' && id.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

Removed make_room(const std::string& folder, const std::string& path, std::uint64_t bytes, std::uint64_t most) {
  std::vector<CachedFile> files = cached_files(folder, path);
  std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) {
    return a.orphaned != b.orphaned ? a.orphaned : a.last_used < b.last_used;
  });
  std::uint64_t all = std::accumulate(files.begin(), files.end(), bytes,
                                      [](std::uint64_t sum, const CachedFile& file) { return sum + file.bytes; });
  Removed removed;
  for (const CachedFile& file : files) {
    if (!file.orphaned && all <= most) break;
    std::error_code code;
    if (!fs::remove(file.path, code)) continue;
    all -= file.bytes;
    removed.files += 1;
    removed.bytes += file.bytes;
  }
  return removed;
}

}  // namespace lfm::engine
