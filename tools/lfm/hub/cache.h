// The hub's cache on this machine, as huggingface_hub lays it out, which other programs read and write too:
//
//   models--ORGANISATION--NAME/
//     blobs/DIGEST                     files by their digest: SHA-256 of large ones, otherwise Git's SHA-1
//     blobs/DIGEST.incomplete          what there is of one that is being downloaded, or was
//     snapshots/COMMIT/PATH            a link to a blob
//     refs/main                        the commit that the branch was last known to be at
//   .locks/models--ORGANISATION--NAME/DIGEST.lock     held by who writes that blob
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/files.h"
#include "hub/name.h"
#include "lfm/result.h"

namespace lfm::hub {

class Cache {
 public:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const noexcept { return folder_; }
  std::string repository(std::string_view repository) const;
  std::string blob(std::string_view repository, std::string_view digest) const;
  std::string lock(std::string_view repository, std::string_view digest) const;
  std::string snapshot(std::string_view repository, std::string_view commit) const;

  // Where the named model lies: its first file, or the snapshot of a folder. Nothing where not all of it is here.
  enum class Age { kCurrent, kAny };  // whether the commit has to be the one that the revision was last known to be at
  std::optional<std::string> find(const Name& name, Age age) const;

  // Has the snapshot hold a file of that path (stays_inside()) that is this blob; then, that the revision is at that
  // commit. A program that is killed leaves nothing that isn't whole.
  Status link(std::string_view repository, std::string_view commit, const std::string& path,
              const std::string& digest) const;
  Status set_revision(const Name& name, const std::string& commit) const;

  struct Model {
    Name name;
    std::string path;  // as find() has it
    ModelFiles files;
  };
  struct Unfinished {
    std::string repository;
    std::string path;
    std::uint64_t bytes = 0;
  };
  struct Listing {
    std::vector<Model> models;  // by name; those of the revision, otherwise of any commit
    std::vector<Unfinished> unfinished;
  };
  Listing list() const;

  // Removes a model, or without quant and file the whole repository, from all snapshots; and the blobs that nothing
  // links to any more. Who has a file open goes on.
  //   kArgument  there is none;   kState  another process is downloading it;   kIo
  struct Removed {
    std::uint64_t bytes = 0;
    std::vector<std::string> blobs;  // real paths of those that are gone
  };
  Result<Removed> remove(const Name& name) const;

 private:
  std::vector<std::string> commits(const Name& name, Age age) const;
  std::vector<RepositoryFile> files(const std::string& snapshot) const;
  std::optional<ModelFiles> whole(const std::string& snapshot, const Name& name) const;

  std::string folder_;
};

}  // namespace lfm::hub
