// A part of a file as read-only memory: nothing is read before it is used, and processes share the pages. Pieces that
// the system keeps in small pages may be moved to huge ones while they are in use.
//
// What is seen is the file: one that is written to while it is mapped changes under the reader, and a page beyond its
// new end is a SIGBUS. Writers of ours replace files by renaming (AtomicFile), which leaves the mapped one whole,
// deleted or not. Of all others the system tells before they can do harm (FileLease): then the bytes are copied to
// memory of our own, which takes the place of the map at the same addresses, under readers that see no difference; the
// writer waits meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::base {

class MappedFile {
 public:
  enum class Writers {
    kHeldOff,  // kIo where there is no lease to be had
    kTrusted,  // mapped all the same: who can write to the file is trusted not to
  };

  // Bytes [offset, offset + bytes), which the file must have. They begin on a page as they do in the file: where pages
  // are larger than 4 KiB, a part that begins at a multiple of that may begin within one.
  // kIo where the system refuses, for a file that isn't guarded, and for one that changed since it was opened.
  static Result<MappedFile> map(const File& file, std::uint64_t offset, std::uint64_t bytes, Writers writers);

  MappedFile() noexcept;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const noexcept;
  std::size_t size() const noexcept;

  // kIo where the bytes could not be saved from a change of the file, and others have been read since.
  Status check_intact() const;

  // Enters pages of [offset, offset + bytes) into the page table at once, reading those that aren't in memory. kIo with
  // the file's offset where the disk fails or the file is cut.
  Status populate(std::size_t offset, std::size_t bytes) const;

  // In ten seconds begins to move pieces that aren't in huge pages to memory that is, at the same addresses, in the
  // background and at the lowest priority. That ends where an eighth of the memory would no longer be available. Where
  // the system can keep the file in huge pages it then reads those pieces again, and they are shared as before.
  void start_settling();
  void settle() const noexcept;  // has that begin now, and waits for its end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lfm::base
