// A part of a file as read-only memory: nothing is read before it is used, and processes share the pages.
//
// What is seen is the file: one that another program writes to or cuts while it is mapped changes under the reader, and
// a page beyond its new end is a SIGBUS. So only files are mapped that nobody else may write to (File::guarded) and
// that their writers replace by renaming (AtomicFile), never in place; those stay whole as long as they are mapped,
// deleted or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::base {

class MappedFile {
 public:
  // Bytes [offset, offset + bytes), which the file must have; offset is a multiple of the page size.
  // kIo where the system refuses, and for a file that isn't guarded.
  static Result<MappedFile> map(const File& file, std::uint64_t offset, std::uint64_t bytes);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  // Enters pages of [offset, offset + bytes) into the page table at once, reading those that aren't in memory; a hint.
  void populate(std::size_t offset, std::size_t bytes) const noexcept;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace lfm::base
