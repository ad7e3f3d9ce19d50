// Files that are read: regular files only, by position, with interrupted and short reads taken care of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::base {

class File {
 public:
  // kIo where the path can't be opened or isn't a regular file.
  static Result<File> open_read(const std::string& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }  // bytes, when it was opened
  int descriptor() const noexcept { return descriptor_; }

  // Fills `out` from byte `offset` on; kIo with the offset where the file ends early or the system fails.
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const;

  // kIo where size or modification time are no longer those of open_read.
  Status check_unchanged() const;

  // Tells the system that these bytes won't be read again; a hint that can't fail.
  void forget(std::uint64_t offset, std::uint64_t bytes) const noexcept;

 private:
  File() = default;
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t modified_seconds_ = 0;
  std::int64_t modified_nanoseconds_ = 0;
};

// "cannot open: No such file or directory" about a path (escaped and shortened for a terminal).
Error io_error(const std::string& what, const std::string& path, int error_number);

// Text of a file or a caller as it may be shown: control bytes as \xNN, at most `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace lfm::base
