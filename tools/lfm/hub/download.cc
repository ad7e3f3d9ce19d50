#include "hub/download.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "hub/blob.h"
#include "hub/files.h"
#include "hub/web.h"
#include "io.h"

namespace lfm::hub {
namespace {

namespace fs = std::filesystem;

// Of what is to come: file systems keep books too.
constexpr double kMoreThanBytes = 1.01;

struct Plan {
  ModelFiles model;
  std::vector<RemoteFile> files;  // of the model, in its order
  std::uint64_t there = 0;        // bytes that are here already
  bool whole = true;              // whether all are
};

Result<Plan> plan(const Cache& cache, const Name& name, std::span<const RemoteFile> listed) {
  std::vector<RepositoryFile> paths;
  for (const RemoteFile& file : listed) paths.push_back({file.path, file.bytes});
  Plan plan;
  LFM_ASSIGN(plan.model, choose(models_in(paths), name));
  for (const std::string& path : plan.model.paths) {
    const RemoteFile& file =
        *std::find_if(listed.begin(), listed.end(), [&](const RemoteFile& f) { return f.path == path; });
    plan.files.push_back(file);
    const bool here = has_blob(cache, name, file);
    plan.there += here ? file.bytes : left_of_blob(cache, name, file);
    plan.whole = plan.whole && here;
  }
  return plan;
}

// kIo where the disk hasn't so much room.
Status check_room(const std::string& folder, std::uint64_t bytes) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return base::io_error("cannot make the folder", folder, code.value());
  struct statvfs disk;
  if (::statvfs(folder.c_str(), &disk) != 0) return {};  // then it will show
  const double needed = static_cast<double>(bytes) * kMoreThanBytes;
  const double room = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  if (room >= needed) return {};
  return Error{ErrorCode::kIo,
               "the disk has room for " + cli::bytes_text(room) + ", and " + cli::bytes_text(needed) +
                   " are needed: make room (lfm list, lfm rm), or set HF_HUB_CACHE to another folder",
               base::printable(folder)};
}

}  // namespace

Result<Pulled> download(Transport& transport, const Name& name, const Environment& environment, const Cache& cache,
                        const PullOptions& options) {
  Web web(transport, environment, {.wait = options.wait});
  LFM_ASSIGN(const std::string commit, web.commit(name));
  LFM_ASSIGN(const std::vector<RemoteFile> listed, web.files(name, commit));
  LFM_ASSIGN(const Plan plan, hub::plan(cache, name, listed));
  const std::uint64_t all = plan.model.bytes;
  if (!plan.whole) {
    LFM_TRY(check_room(cache.repository(name.repository), all - plan.there));
    const std::string what = name.repository + (plan.model.folder ? "" : ", " + plan.model.label());
    if (options.begins) options.begins(what, all - plan.there);
  }
  std::uint64_t before = 0;  // bytes of the files that are done
  for (const RemoteFile& file : plan.files) {
    const auto tell = [&](Step step, std::uint64_t bytes) {
      if (options.progress) options.progress({step, file.path, before + bytes, all});
    };
    if (!has_blob(cache, name, file)) LFM_TRY(fetch_blob(web, cache, name, commit, file, tell));
    LFM_TRY(cache.link(name.repository, commit, file.path, file.digest));
    before += file.bytes;
  }
  LFM_TRY(cache.set_revision(name, commit));
  const std::string snapshot = cache.snapshot(name.repository, commit);
  return Pulled{plan.model.folder ? snapshot : (fs::path(snapshot) / plan.model.paths[0]).string(), !plan.whole};
}

Result<Pulled> download(const Name& name, const Environment& environment, const Cache& cache,
                        const PullOptions& options) {
  LFM_ASSIGN(Transport * transport, hub::transport());
  return download(*transport, name, environment, cache, options);
}

}  // namespace lfm::hub
