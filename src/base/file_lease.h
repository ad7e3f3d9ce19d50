// Being told before a file changes. The system lets nobody open a leased file for writing, or cut it, before the holder
// has given the lease up; that is asked of him, and he has /proc/sys/fs/lease-break-time (45 s) for it (fcntl(2),
// F_SETLEASE): only a process that is stopped for longer comes too late. Replacing, renaming and deleting don't touch
// the file itself, and go on undisturbed.
#pragma once

#include <functional>
#include <memory>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::base {

class FileLease {
 public:
  // From here on nobody has the file open for writing. When somebody is about to, `leave` is called once, on a thread
  // of the lease's own, which waits for a signal (SIGIO) that nobody else sees; it must not throw. When it returns, the
  // lease is given up.
  //   kIo  somebody has it open for writing; it isn't this user's; its file system has no leases;   kNoMemory
  static Result<FileLease> take(const File& file, std::function<void()> leave);

  FileLease(FileLease&&) noexcept;
  FileLease& operator=(FileLease&&) = delete;
  ~FileLease();  // waits for a leave() that runs

 private:
  struct State;
  explicit FileLease(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace lfm::base
