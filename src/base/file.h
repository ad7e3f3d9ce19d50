// Files that are read: regular files only, by position, with interrupted and short reads taken care of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::base {

// What changes when a file is replaced or written to, whatever is done to its modification time: the system alone sets
// the time of change. Copying, renaming and changing permissions change it too.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::uint64_t modified = 0;  // nanoseconds since 1970, modulo 2^64
  std::uint64_t changed = 0;   // likewise
  bool operator==(const FileStamp&) const = default;
};

class File {
 public:
  enum class Links { kFollow, kRefuse };  // what to do where the path's last part is a symbolic link

  enum class Use { kCounts, kDoesntCount };  // whether the system is to note that the file was used

  // kIo where the path can't be opened or isn't a regular file.
  static Result<File> open_read(const std::string& path, Links links = Links::kFollow, Use use = Use::kCounts);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  Result<File> duplicate() const;  // another descriptor of the same open file

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return stamp_.bytes; }  // bytes, when it was opened
  int descriptor() const noexcept { return descriptor_; }
  const FileStamp& stamp() const noexcept { return stamp_; }

  // Whether only its owner may write to it, and the owner is this user or root.
  bool guarded() const noexcept;
  // Whether this user owns it and may write to it.
  bool ours_and_writable() const noexcept;
  // When it was written to or used before it was opened, as far as the system notes that; nanoseconds since 1970.
  std::uint64_t last_used() const noexcept { return used_; }
  // Takes the right to write from everybody.
  Status make_read_only() const;

  // Fills `out` from byte `offset` on; kIo with the offset where the file ends early or the system fails.
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const;

  // kIo where the file isn't what it was at open_read: its size or modification time, or its time of change, which no
  // program can put back. Deleting it, replacing it by another, and changing its permissions are no changes.
  Status check_unchanged() const;

  // Has the system let go of the pages that hold these bytes, where nobody has them mapped; a hint that can't fail.
  void forget(std::uint64_t offset, std::uint64_t bytes) const noexcept;

 private:
  File() = default;
  std::string path_;
  int descriptor_ = -1;
  FileStamp stamp_;
  std::uint64_t used_ = 0;
  std::uint32_t mode_ = 0;
  std::uint32_t owner_ = 0;
  std::uint64_t links_ = 0;  // names that it has
};

// The path without links, dots and double slashes; kIo where there is nothing. Of std::filesystem's paths nothing is
// made: GCC 12's aren't whole where there is no memory for their parts.
Result<std::string> real_path(const std::string& path);
bool exists(const std::string& path) noexcept;  // follows links

// "cannot open: No such file or directory" about a path (escaped and shortened for a terminal).
Error io_error(const std::string& what, const std::string& path, int error_number);

// Text of a file or a caller as it may be shown: controls, and marks that turn or hide text, as \xNN; about `limit` bytes
// at most.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace lfm::base
