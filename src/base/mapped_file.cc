#include "base/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>

namespace lfm::base {

Result<MappedFile> MappedFile::map(const File& file, std::uint64_t offset, std::uint64_t bytes) {
  if (!file.guarded()) {
    return Error{ErrorCode::kIo, "others may write to the file, so it can't be mapped", printable(file.path())};
  }
  MappedFile mapped;
  if (bytes == 0) return mapped;
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.descriptor(), static_cast<off_t>(offset));
  if (address == MAP_FAILED) return io_error("cannot map", file.path(), errno);
  // Where the file system has them in large pieces, fewer entries of the TLB cover them.
  (void)::madvise(address, bytes, MADV_HUGEPAGE);
  mapped.data_ = static_cast<std::byte*>(address);
  mapped.size_ = bytes;
  return mapped;
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::populate(std::size_t offset, std::size_t bytes) const noexcept {
#ifdef MADV_POPULATE_READ
  (void)::madvise(data_ + offset, bytes, MADV_POPULATE_READ);
#else
  (void)::madvise(data_ + offset, bytes, MADV_WILLNEED);
#endif
}

}  // namespace lfm::base
