// A system without leases: who maps a file has to trust those who may write to it.
#include <cerrno>
#include <utility>

#include "base/file_lease.h"

namespace lfm::base {

struct FileLease::State {};

Result<FileLease> FileLease::take(const File& file, std::function<void()>) {
  return io_error("cannot lease", file.path(), ENOSYS);
}

FileLease::FileLease(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
FileLease::FileLease(FileLease&&) noexcept = default;
FileLease::~FileLease() = default;

}  // namespace lfm::base
