#include "source/hf_files.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace lfm::source {
namespace {

constexpr std::uint64_t kMostTextBytes = std::uint64_t{64} << 20;

// "/a/b" is in "/a", "/ab" isn't.
bool lies_in(const std::string& path, const std::string& folder) {
  return !folder.empty() && path.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

// Of "/a/b": "/a" and "b".
std::string_view folder_of(std::string_view path) {
  return path.substr(0, std::min(path.rfind('/'), path.size()));
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Result<HfFolder> HfFolder::open(const std::string& path) {
  LFM_ASSIGN(std::string real, base::real_path(path));
  // .../models--ORGANISATION--NAME/snapshots/REVISION, whose files are links to those in .../blobs
  const std::string_view snapshots = folder_of(real);
  std::string blobs;
  if (name_of(snapshots) == "snapshots") blobs = std::string(folder_of(snapshots)) + "/blobs";
  return HfFolder(path, std::move(real), std::move(blobs));
}

std::string HfFolder::name() const {
  if (blobs_.empty()) return std::string(name_of(real_));
  const std::string_view repository = name_of(folder_of(blobs_));
  const std::size_t cut = repository.rfind("--");
  return std::string(cut == std::string_view::npos ? repository : repository.substr(cut + 2));
}

bool HfFolder::has(const std::string& name) const {
  return base::exists(path_ + "/" + name);
}

Result<base::File> HfFolder::file(const std::string& name) const {
  const std::string path = path_.ends_with('/') ? path_ + name : path_ + "/" + name;
  LFM_ASSIGN(const std::string real, base::real_path(path));
  if (!lies_in(real, real_) && !lies_in(real, blobs_))
    return Error{ErrorCode::kIo, "a link that leads out of the folder", base::printable(path)};
  // Not by its first name, whose links may lead elsewhere by now.
  return base::File::open_read(real, base::File::Links::kRefuse);
}

Result<std::optional<std::string>> HfFolder::text(const std::string& name) const {
  if (!has(name)) return std::optional<std::string>();
  LFM_ASSIGN(const base::File opened, file(name));
  if (opened.size() > kMostTextBytes)
    return Error{ErrorCode::kLimit, std::to_string(opened.size()) + " bytes", base::printable(opened.path())};
  std::string bytes(opened.size(), '\0');
  LFM_TRY(opened.read_at(0, std::as_writable_bytes(std::span(bytes))));
  LFM_TRY(opened.check_unchanged());
  return std::optional(std::move(bytes));
}

Result<std::optional<json::Value>> HfFolder::json(const std::string& name) const {
  LFM_ASSIGN(const std::optional<std::string> bytes, text(name));
  if (!bytes) return std::optional<json::Value>();
  LFM_ASSIGN(json::Value parsed,
             json::parse(*bytes, name, {.malformed = ErrorCode::kFormat, .too_deep = ErrorCode::kFormat}));
  if (!parsed.is_object()) return Error{ErrorCode::kFormat, "not an object", name};
  return std::optional(std::move(parsed));
}

Result<json::Value> HfFolder::require_json(const std::string& name) const {
  LFM_ASSIGN(std::optional<json::Value> found, json(name));
  if (!found) {
    return Error{ErrorCode::kIo, "there is no " + name + ", which a Hugging Face folder has", base::printable(path_)};
  }
  return *std::move(found);
}

}  // namespace lfm::source
