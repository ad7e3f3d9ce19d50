// A file that appears under its name complete or not at all. It is written beside it as ".NAME.part", synced, renamed,
// and the folder synced. Whoever writes holds a lock on that file for as long as it lives, so that there is one writer
// at a time; what a killed writer left is found unlocked and written over by the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::base {

class AtomicFile {
 public:
  // What a killed writer of the same file left: goes, or stays for this one to go on with; then what this one doesn't
  // commit stays too.
  enum class Leftover { kGoes, kStays };

  // `bytes` of disk are reserved, where the file system can. Never waits.
  //   kState  another process is writing it;   kIo otherwise
  static Result<AtomicFile> create(const std::string& path, std::uint64_t bytes, Leftover leftover = Leftover::kGoes);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  ~AtomicFile();  // removes what wasn't committed

  // From any number of threads. kIo (a full disk, ...)
  Status write_at(std::uint64_t offset, std::span<const std::byte> bytes) const;
  // What was written, by a killed writer too where that stays.
  Status read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
  Status sync() const;

  // Nothing but zeros, `bytes` of them: what a killed writer left goes after all.
  Status clear(std::uint64_t bytes) const;

  // Makes it `path`, readable as `mode` (permission bits) says.
  enum class Existing { kReplace, kKeep };  // kKeep: kIo where there is a file of that name
  Status commit(unsigned mode, Existing existing);

  // kArgument where a commit would replace something that isn't a regular file: a link, a device, a folder.
  static Status check_target(const std::string& path);

  // Removes what killed writers left in a folder of the files for whose names `ours` is true.
  static void remove_leftovers(const std::string& folder, bool (*ours)(std::string_view name));

 private:
  AtomicFile(std::string path, std::string part, int descriptor) noexcept
      : path_(std::move(path)), part_(std::move(part)), descriptor_(descriptor) {}

  Status reserve(std::uint64_t bytes) const;

  std::string path_;
  std::string part_;
  int descriptor_ = -1;
  bool committed_ = false;
  bool stays_ = false;  // where it isn't committed
};

}  // namespace lfm::base
