#include "engine/pool/session_folder.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <span>
#include <utility>

#include "base/checksum.h"
#include "base/folder.h"
#include "base/try.h"
#include "engine/session/saved_session.h"

namespace lfm::engine {
namespace {

constexpr std::string_view kSuffix = ".session";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kAside = 99999999;  // a place behind all others

// Of a session's tokens in a model, and how keys and values are kept.
std::string id_of(const Timeline& line, std::uint64_t fingerprint) {
  const kernels::KvFormat cache = line.state.kv().format();
  const auto number =
      static_cast<std::uint64_t>(cache.keys) * kernels::kKvTypeCount + static_cast<std::uint64_t>(cache.values);
  const std::uint64_t id = base::checksum(std::as_bytes(std::span(line.tokens)), fingerprint + number);
  char text[kIdDigits + 1];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
}

std::string id_in(std::string_view name) {
  return std::string(name.substr(name.size() - kSuffix.size() - kIdDigits, kIdDigits));
}

std::string name_of(std::size_t place, const std::string& id) {
  char text[24];
  std::snprintf(text, sizeof text, "%04zu-", place);
  return text + id + std::string(kSuffix);
}

}  // namespace

bool is_saved_name(std::string_view name) {
  if (!name.ends_with(kSuffix) || name.size() < 2 + kIdDigits + kSuffix.size()) return false;
  const std::string_view stem = name.substr(0, name.size() - kSuffix.size());
  const std::size_t dash = stem.size() - kIdDigits - 1;
  return stem[dash] == '-' && stem.substr(0, dash).find_first_not_of("0123456789") == std::string_view::npos &&
         stem.substr(dash + 1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status save_lines(const std::vector<std::shared_ptr<const Timeline>>& lines, std::uint64_t fingerprint,
                  const std::string& folder) {
  LFM_TRY(base::make_folder(folder));  // conversations are nobody else's business
  LFM_ASSIGN(const std::vector<std::string> names, saved_lines(folder));
  std::map<std::string, std::string> there;  // paths by what they hold
  for (const std::string& name : names) {
    // Out of the way of the names that are given now; found all the same should this be all that is done.
    const std::string aside = folder + "/" + name_of(kAside, id_in(name));
    LFM_TRY(base::move_file(folder + "/" + name, aside));
    there[id_in(name)] = aside;
  }
  Status first;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string id = id_of(*lines[i], fingerprint);
    const std::string path = folder + "/" + name_of(i, id);
    Status written;
    if (const auto old = there.find(id); old != there.end()) {
      written = base::move_file(old->second, path);
      there.erase(old);
    } else {
      written = save_timeline(*lines[i], fingerprint, path);
    }
    if (first.ok()) first = std::move(written);
  }
  for (const auto& [id, path] : there) base::remove_file(path);
  return first;
}

Result<std::vector<std::string>> saved_lines(const std::string& folder) {
  LFM_ASSIGN(std::vector<std::string> names, base::names_in(folder));
  std::erase_if(names, [](const std::string& name) { return !is_saved_name(name); });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lfm::engine
