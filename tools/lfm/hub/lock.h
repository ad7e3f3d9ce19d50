// Locks between processes, as huggingface_hub takes them: flock(2) on a file of its own.
#pragma once

#include <functional>
#include <string>

#include "base/descriptor.h"
#include "lfm/result.h"

namespace lfm::hub {

class Lock {
 public:
  enum class Wait { kNo, kYes };

  // Makes the file and its folder if need be. While another process has the lock, `waiting` is called ten times a
  // second.   kState  another process has it, and waiting isn't wanted;   kIo
  static Result<Lock> take(const std::string& path, Wait wait, const std::function<void()>& waiting = nullptr);

  Lock(Lock&& other) noexcept : file_(other.file_.release()) {}
  Lock& operator=(Lock&&) = delete;

 private:
  explicit Lock(int file) noexcept : file_(file) {}
  base::Descriptor file_;
};

}  // namespace lfm::hub
