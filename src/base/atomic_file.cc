#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "base/folder.h"
#include "base/system.h"
#include "base/try.h"

namespace lfm::base {
namespace {

constexpr std::string_view kSuffix = ".part";

std::string part_of(const std::string& path) {
  return folder_of(path) + "." + std::string(name_of(path)) + std::string(kSuffix);
}

template <typename Call>
int retried(Call&& call) {
  int result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// Whether the open file is still what the path names.
bool is_at(int descriptor, const std::string& path) {
  struct stat open_file;
  struct stat named;
  return ::fstat(descriptor, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

Status check_part(int descriptor, const std::string& part) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return io_error("cannot examine", part, errno);
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink != 1)
    return Error{ErrorCode::kIo, "something else is in the way", printable(part)};
  return {};
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::string& path, std::uint64_t bytes, Leftover leftover) {
  if (path.empty() || path.back() == '/' || path.find('\0') != std::string::npos)
    return Error{ErrorCode::kArgument, "not the name of a file", printable(path)};
  std::string name = path;
  std::string part = part_of(path);
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    Descriptor file(retried([&] {
      return ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR);
    }));
    if (file.get() < 0) return io_error("cannot write", path, errno);
    LFM_TRY(check_part(file.get(), part));
    if (retried([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return io_error("cannot lock", path, errno);
      return Error{ErrorCode::kState, "another process is writing it", printable(path)};
    }
    // Before the lock was ours, the last holder may have renamed or removed the file.
    if (!is_at(file.get(), part)) continue;
    AtomicFile atomic(std::move(name), std::move(part), file.release());  // nothing in between that may throw
    atomic.stays_ = leftover == Leftover::kStays;
    if (::ftruncate(atomic.descriptor_, atomic.stays_ ? static_cast<off_t>(bytes) : 0) != 0)
      return io_error("cannot cut", path, errno);
    LFM_TRY(atomic.reserve(bytes));
    return atomic;
  }
  return Error{ErrorCode::kState, "other processes are writing it", printable(path)};
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::move(other.part_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      committed_(other.committed_),
      stays_(other.stays_) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  if (!committed_ && !stays_) (void)::unlink(part_.c_str());
  ::close(descriptor_);
}

Status AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      Error error = io_error("cannot write", path_, errno);
      error.offset = offset;
      return error;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status AtomicFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      Error error = n < 0 ? io_error("cannot read", path_, errno)
                          : Error{ErrorCode::kIo, "the file ends early", printable(path_)};
      error.offset = offset;
      return error;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status AtomicFile::sync() const {
  if (retried([&] { return ::fsync(descriptor_); }) != 0) return io_error("cannot sync", path_, errno);
  return {};
}

Status AtomicFile::clear(std::uint64_t bytes) const {
  if (::ftruncate(descriptor_, 0) != 0 || ::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    return io_error("cannot cut", path_, errno);
  return reserve(bytes);
}

Status AtomicFile::reserve(std::uint64_t bytes) const {
  if (bytes > 0 && retried([&] { return system::reserve(descriptor_, bytes); }) != 0 && errno != EOPNOTSUPP &&
      errno != ENOSYS) {
    return io_error("cannot reserve " + std::to_string(bytes) + " bytes", path_, errno);
  }
  return {};
}

Status AtomicFile::commit(unsigned mode, Existing existing) {
  if (::fchmod(descriptor_, static_cast<mode_t>(mode)) != 0) return io_error("cannot set the mode of", path_, errno);
  LFM_TRY(sync());
  int renamed = -1;
  if (existing == Existing::kKeep) {
    renamed = system::rename_new(part_.c_str(), path_.c_str());
    // File systems that can't say so atomically.
    if (renamed != 0 && (errno == EINVAL || errno == ENOSYS) && ::access(path_.c_str(), F_OK) != 0)
      renamed = ::rename(part_.c_str(), path_.c_str());
  } else {
    renamed = ::rename(part_.c_str(), path_.c_str());
  }
  if (renamed != 0) return io_error("cannot write", path_, errno);
  committed_ = true;
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || retried([&] { return ::fsync(folder.get()); }) != 0)
    return io_error("cannot sync the folder of", path_, errno);
  return {};
}

Status AtomicFile::check_target(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return {};
  return Error{ErrorCode::kArgument, "is there, and isn't a regular file", printable(path)};
}

void AtomicFile::remove_leftovers(const std::string& folder, bool (*ours)(std::string_view name)) {
  const auto names = names_in(folder);
  if (!names.ok()) return;
  for (const std::string& part : *names) {
    if (part.size() <= 1 + kSuffix.size() || !part.starts_with('.') || !part.ends_with(kSuffix)) continue;
    if (!ours(std::string_view(part).substr(1, part.size() - 1 - kSuffix.size()))) continue;
    const std::string path = in_folder(folder, part);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0 || !check_part(file.get(), path).ok()) continue;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_at(file.get(), path)) (void)::unlink(path.c_str());
  }
}

}  // namespace lfm::base
