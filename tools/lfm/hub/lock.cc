#include "hub/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "base/file.h"

namespace lfm::hub {
namespace {

// Whether the open file is still what the path names: who had the lock may have removed it.
bool is_at(int file, const std::string& path) {
  struct stat opened;
  struct stat named;
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Result<Lock> Lock::take(const std::string& path, Wait wait, const std::function<void()>& waiting) {
  std::error_code code;
  for (;;) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), code);
    Lock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (lock.file_.get() < 0) return base::io_error("cannot write", path, errno);
    if (::flock(lock.file_.get(), LOCK_EX | LOCK_NB) == 0) {
      if (is_at(lock.file_.get(), path)) return lock;
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return base::io_error("cannot lock", path, errno);
    if (wait == Wait::kNo) return Error{ErrorCode::kState, "another process is downloading it", base::printable(path)};
    if (waiting) waiting();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace lfm::hub
