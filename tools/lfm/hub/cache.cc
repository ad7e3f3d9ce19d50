#include "hub/cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/try.h"
#include "hub/json.h"
#include "hub/lock.h"

namespace lfm::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFront = "models--";
constexpr std::string_view kIncomplete = ".incomplete";
constexpr const char* kConfig = "config.json";

std::string folder_name(std::string_view repository) {
  std::string name(kFront);
  for (const char c : repository) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

// Empty where that is no name of a repository's folder.
std::string repository_name(std::string_view folder) {
  if (!folder.starts_with(kFront)) return {};
  std::string name(folder.substr(kFront.size()));
  if (const std::size_t cut = name.find("--"); cut != name.npos) name.replace(cut, 2, "/");
  return is_repository(name) ? name : "";
}

std::string text_of(const fs::path& path) {
  std::string text(64, '\0');
  std::ifstream file(path);
  text.resize(static_cast<std::size_t>(file.read(text.data(), static_cast<std::streamsize>(text.size())).gcount()));
  return text.substr(0, text.find_first_of(" \r\n"));
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) all.push_back(at->path());
  std::sort(all.begin(), all.end());
  return all;
}

fs::file_time_type time_of(const fs::path& path) {
  std::error_code code;
  return fs::last_write_time(path, code);
}

Status make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return base::io_error("cannot make the folder", folder.string(), code.value());
  return {};
}

Status sync_folder(const fs::path& folder) {
  const base::Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || ::fsync(opened.get()) != 0) return base::io_error("cannot sync", folder.string(), errno);
  return {};
}

// A name in the folder that nobody else takes.
fs::path own_name(const fs::path& folder) {
  return folder / (".lfm-" + std::to_string(::getpid()) + std::string(kIncomplete));
}

Status rename_to(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (!code) return {};
  std::error_code ignored;
  fs::remove(from, ignored);
  return base::io_error("cannot write", to.string(), code.value());
}

// Files below a folder that lead to a regular file: their paths from there, in order.
template <typename Each>
void each_file(const fs::path& folder, Each&& each) {
  std::error_code code;
  for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    std::error_code missing;
    if (fs::is_regular_file(at->path(), missing)) each(at->path(), at->path().lexically_relative(folder).string());
  }
}

bool is_text(const Name& name) {
  return name.quant.empty() && name.file.empty();
}

}  // namespace

std::string Cache::repository(std::string_view repository) const {
  return (fs::path(folder_) / folder_name(repository)).string();
}

std::string Cache::blob(std::string_view repository, std::string_view digest) const {
  return (fs::path(this->repository(repository)) / "blobs" / digest).string();
}

std::string Cache::lock(std::string_view repository, std::string_view digest) const {
  return (fs::path(folder_) / ".locks" / folder_name(repository) / (std::string(digest) + ".lock")).string();
}

std::string Cache::snapshot(std::string_view repository, std::string_view commit) const {
  return (fs::path(this->repository(repository)) / "snapshots" / commit).string();
}

// Those to look in, the best first.
std::vector<std::string> Cache::commits(const Name& name, Age age) const {
  std::vector<std::string> found;
  const fs::path folder = repository(name.repository);
  const std::string known = is_commit(name.revision) ? name.revision : text_of(folder / "refs" / name.revision);
  if (is_commit(known)) found.push_back(known);
  // Not all programs that download files say which revision they asked for.
  if (age == Age::kCurrent && (!found.empty() || name.revision != kMain)) return found;
  std::vector<fs::path> others = entries(folder / "snapshots");
  std::stable_sort(others.begin(), others.end(),
                   [](const fs::path& a, const fs::path& b) { return time_of(a) > time_of(b); });
  for (const fs::path& other : others) {
    if (const std::string commit = other.filename().string(); commit != known) found.push_back(commit);
  }
  return found;
}

std::vector<RepositoryFile> Cache::files(const std::string& snapshot) const {
  std::vector<RepositoryFile> found;
  each_file(snapshot, [&](const fs::path& path, const std::string& name) {
    std::error_code code;
    found.push_back({name, fs::file_size(path, code)});
  });
  return found;
}

// The model of that name in a snapshot; of a folder, with all files that its index names.
std::optional<ModelFiles> Cache::whole(const std::string& snapshot, const Name& name) const {
  const std::vector<RepositoryFile> there = files(snapshot);
  const std::vector<ModelFiles> models = models_in(there);
  auto chosen = choose(models, name);
  if (!chosen.ok()) return std::nullopt;
  if (chosen->folder) {
    const auto needed = files_of_index((fs::path(snapshot) / "model.safetensors.index.json").string());
    if (!needed.ok()) return std::nullopt;
    const auto is_there = [&](const std::string& path) {
      return std::find(chosen->paths.begin(), chosen->paths.end(), path) != chosen->paths.end();
    };
    if (!is_there("tokenizer.json") || !std::all_of(needed->begin(), needed->end(), is_there)) return std::nullopt;
  }
  return *std::move(chosen);
}

std::optional<std::string> Cache::find(const Name& name, Age age) const {
  if (folder_.empty()) return std::nullopt;
  for (const std::string& commit : commits(name, age)) {
    const std::string at = snapshot(name.repository, commit);
    const auto model = whole(at, name);
    if (model) return model->folder ? at : (fs::path(at) / model->paths[0]).string();
  }
  return std::nullopt;
}

Status Cache::link(std::string_view repository, std::string_view commit, const std::string& path,
                   const std::string& digest) const {
  const fs::path to = blob(repository, digest);
  const fs::path from = fs::path(snapshot(repository, commit)) / path;
  std::error_code code;
  if (fs::equivalent(from, to, code)) return {};
  LFM_TRY(make_folder(from.parent_path()));
  const fs::path made = own_name(to.parent_path());
  fs::remove(made, code);
  fs::create_symlink(fs::path(to).lexically_relative(from.parent_path()), made, code);
  // Where there are no links, as on some portable disks, the file itself moves, as huggingface_hub does it.
  return rename_to(code ? to : made, from);
}

Status Cache::set_revision(const Name& name, const std::string& commit) const {
  if (is_commit(name.revision)) return {};
  const fs::path ref = fs::path(repository(name.repository)) / "refs" / name.revision;
  if (text_of(ref) == commit) return {};
  LFM_TRY(make_folder(ref.parent_path()));
  const fs::path blobs = fs::path(repository(name.repository)) / "blobs";
  const fs::path made = own_name(blobs);
  const base::Descriptor file(::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (file.get() < 0 || !base::write_all(file.get(), commit) || ::fsync(file.get()) != 0)
    return base::io_error("cannot write", made.string(), errno);
  LFM_TRY(rename_to(made, ref));
  return sync_folder(ref.parent_path());
}

Cache::Listing Cache::list() const {
  Listing listing;
  for (const fs::path& folder : entries(folder_)) {
    const std::string repository = repository_name(folder.filename().string());
    if (repository.empty()) continue;
    std::set<std::string> seen;
    for (const std::string& commit : commits({.repository = repository}, Age::kAny)) {
      const std::string at = snapshot(repository, commit);
      for (ModelFiles& model : models_in(files(at))) {
        if (model.folder && !is_lfm2((fs::path(at) / kConfig).string())) continue;
        Name name{.repository = repository, .quant = model.quant};
        if (!model.folder && model.quant.empty()) name.file = model.paths[0];
        if (!seen.insert(name.text()).second) continue;
        const std::string path = model.folder ? at : (fs::path(at) / model.paths[0]).string();
        listing.models.push_back({std::move(name), path, std::move(model)});
      }
    }
    for (const fs::path& blob : entries(folder / "blobs")) {
      if (blob.extension() != kIncomplete || !is_hex(blob.stem().string(), blob.stem().string().size())) continue;
      std::error_code code;
      listing.unfinished.push_back({repository, blob.string(), fs::file_size(blob, code)});
    }
  }
  return listing;
}

Result<Cache::Removed> Cache::remove(const Name& name) const {
  const fs::path folder = repository(name.repository);
  const Error none{ErrorCode::kArgument, "not in " + base::printable(folder_), name.text()};
  std::error_code code;
  if (folder_.empty() || !fs::is_directory(folder, code)) return none;
  // What is being downloaded.
  for (const fs::path& blob : entries(folder / "blobs")) {
    if (blob.extension() != kIncomplete || !is_text(name)) continue;
    if (const auto lock = Lock::take(this->lock(name.repository, blob.stem().string()), Lock::Wait::kNo); !lock.ok())
      return lock.error();
  }
  std::set<fs::path> links;
  for (const fs::path& at : entries(folder / "snapshots")) {
    const std::vector<RepositoryFile> there = files(at.string());
    const std::vector<ModelFiles> models = models_in(there);
    const auto chosen = is_text(name) ? Result<ModelFiles>(ModelFiles{}) : choose(models, name);
    if (!chosen.ok()) continue;
    for (const std::string& path : chosen->paths) links.insert(at / path);
    if (is_text(name)) each_file(at, [&](const fs::path& path, const std::string&) { links.insert(path); });
  }
  if (links.empty() && !is_text(name)) return none;

  // Blobs that only these lead to.
  std::set<fs::path> going;
  std::set<fs::path> staying;
  each_file(folder / "snapshots", [&](const fs::path& path, const std::string&) {
    (links.contains(path) ? going : staying).insert(fs::canonical(path, code));
  });
  Removed removed;
  const auto remove_file = [&](const fs::path& path) -> Status {
    const std::uint64_t bytes = fs::is_symlink(path, code) ? 0 : fs::file_size(path, code);
    if (!fs::remove(path, code) && code) return base::io_error("cannot remove", path.string(), code.value());
    removed.bytes += code ? 0 : bytes;
    return {};
  };
  // The revisions first: what they lead to is whole, or they lead to nothing.
  const bool all = is_text(name) || staying.empty();
  if (all) fs::remove_all(folder / "refs", code);
  for (const fs::path& link : links) LFM_TRY(remove_file(link));
  const std::string real = fs::canonical(folder, code).string() + "/";
  for (const fs::path& blob : going) {
    if (staying.contains(blob) || !blob.string().starts_with(real)) continue;
    LFM_TRY(remove_file(blob));
    removed.blobs.push_back(blob.string());
  }
  if (!all) return removed;
  each_file(folder, [&](const fs::path& path, const std::string&) {
    if (!fs::is_symlink(path, code)) removed.bytes += fs::file_size(path, code);
  });
  fs::remove_all(folder, code);
  if (code) return base::io_error("cannot remove", folder.string(), code.value());
  fs::remove_all(fs::path(folder_) / ".locks" / folder_name(name.repository), code);
  return removed;
}

}  // namespace lfm::hub
