#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "base/system.h"

#if defined(__APPLE__)
#define st_atim st_atimespec
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif
#ifndef O_NOATIME
#define O_NOATIME 0
#endif

namespace lfm::base {

namespace {

// Bytes of the character at the beginning where a terminal would obey it instead of showing it: controls (those from
// U+0080 to U+009F are C2 80 to C2 9F), and what turns or hides text: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066
// to U+2069, and tags, U+E0000 to U+E007F. 0 for all others.
std::size_t unfit_bytes(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto within = [](unsigned value, unsigned least, unsigned most) { return value >= least && value <= most; };
  if (at(0) < 0x20 || at(0) == 0x7f) return 1;
  if ((at(0) == 0xc2 && within(at(1), 0x80, 0x9f)) || (at(0) == 0xd8 && at(1) == 0x9c)) return 2;
  if (at(0) == 0xe2 && at(1) == 0x80 && (within(at(2), 0x8e, 0x8f) || within(at(2), 0xaa, 0xae))) return 3;
  if (at(0) == 0xe2 && at(1) == 0x81 && within(at(2), 0xa6, 0xa9)) return 3;
  if (at(0) == 0xf3 && at(1) == 0xa0 && within(at(2), 0x80, 0x81) && within(at(3), 0x80, 0xbf)) return 4;
  return 0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    const std::size_t unfit = unfit_bytes(text);
    for (const char c : text.substr(0, unfit)) {
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
    if (unfit == 0) out += text[0];
    text.remove_prefix(unfit == 0 ? 1 : unfit);
  }
  return out;
}

Error io_error(const std::string& what, const std::string& path, int error_number) {
  return Error{ErrorCode::kIo, what + ": " + std::generic_category().message(error_number), printable(path)};
}

Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr), &std::free);
  if (found == nullptr) return io_error("cannot open", path, errno);
  return std::string(found.get());
}

bool exists(const std::string& path) noexcept {
  return ::access(path.c_str(), F_OK) == 0;
}

namespace {

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

FileStamp stamp_of(const struct stat& status) {
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

}  // namespace

Result<File> File::open_read(const std::string& path, Links links, Use use) {
  if (path.find('\0') != std::string::npos)
    return Error{ErrorCode::kArgument, "a path can't hold a NUL", printable(path)};
  File file;
  file.path_ = path;
  // Not blocking, so that opening a FIFO returns.
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (links == Links::kRefuse) flags |= O_NOFOLLOW;
  if (use == Use::kDoesntCount) flags |= O_NOATIME;
  do {
    file.descriptor_ = ::open(path.c_str(), flags);
    // Of others' files the system notes every use.
    if (file.descriptor_ < 0 && errno == EPERM && (flags & O_NOATIME) != 0) flags &= ~O_NOATIME, errno = EINTR;
  } while (file.descriptor_ < 0 && errno == EINTR);
  if (file.descriptor_ < 0) return io_error("cannot open", path, errno);
  struct stat status;
  if (::fstat(file.descriptor_, &status) != 0) return io_error("cannot examine", path, errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kIo, "not a regular file", printable(path)};
  file.stamp_ = stamp_of(status);
  file.used_ = std::max(nanoseconds(status.st_atim), nanoseconds(status.st_mtim));
  file.mode_ = status.st_mode;
  file.owner_ = status.st_uid;
  file.links_ = status.st_nlink;
  return file;
}

Result<File> File::duplicate() const {
  File file;
  file.path_ = path_;
  file.stamp_ = stamp_;
  file.used_ = used_;
  file.mode_ = mode_;
  file.owner_ = owner_;
  file.links_ = links_;
  file.descriptor_ = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (file.descriptor_ < 0) return io_error("cannot open again", path_, errno);
  return file;
}

File::File(File&& other) noexcept {
  *this = std::move(other);
}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    stamp_ = other.stamp_;
    used_ = other.used_;
    mode_ = other.mode_;
    owner_ = other.owner_;
    links_ = other.links_;
  }
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status File::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      Error error = io_error("cannot read", path_, errno);
      error.offset = offset;
      return error;
    }
    if (n == 0) return Error{ErrorCode::kIo, "the file ends early", printable(path_), Error::kNone, offset};
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status File::check_unchanged() const {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return io_error("cannot examine", path_, errno);
  const FileStamp now = stamp_of(status);
  const bool names_or_rights = status.st_nlink != links_ || status.st_mode != mode_;
  if (now.bytes != stamp_.bytes || now.modified != stamp_.modified ||
      (now.changed != stamp_.changed && !names_or_rights)) {
    return Error{ErrorCode::kIo, "the file changed while it was read", printable(path_)};
  }
  return {};
}

bool File::guarded() const noexcept {
  return (owner_ == ::geteuid() || owner_ == 0) && (mode_ & (S_IWGRP | S_IWOTH)) == 0;
}

bool File::ours_and_writable() const noexcept {
  return owner_ == ::geteuid() && (mode_ & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0;
}

Status File::make_read_only() const {
  if (::fchmod(descriptor_, mode_ & (S_IRUSR | S_IRGRP | S_IROTH)) != 0)
    return io_error("cannot make read-only", path_, errno);
  return {};
}

void File::forget(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  system::forget(descriptor_, offset, bytes);
}

}  // namespace lfm::base
