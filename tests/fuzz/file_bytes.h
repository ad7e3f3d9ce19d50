// Bytes as a file that has a path, without a disk.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>

namespace lfm::test {

class FileBytes {
 public:
  FileBytes() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) std::abort();
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~FileBytes() { ::close(descriptor_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  const std::string& path() const noexcept { return path_; }

  // Only its owner may write to it, as files must be that are mapped.
  void set(std::span<const std::byte> bytes) {
    const auto size = static_cast<ssize_t>(bytes.size());
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) != size ||
        ::fchmod(descriptor_, S_IRUSR | S_IWUSR) != 0) {
      std::abort();
    }
  }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace lfm::test
