#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace lfm::base {

std::string printable(std::string_view text, std::size_t limit) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  const auto escape = [&](unsigned char byte) {
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (out.size() >= limit) return out + "...";
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    // U+0080 to U+009F, which terminals obey like escape sequences, are C2 80 to C2 9F.
    const bool c1_control = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    if (byte < 0x20 || byte == 0x7f || c1_control) {
      escape(byte);
    } else {
      out += text[i];
    }
    if (c1_control) escape(static_cast<unsigned char>(text[++i]));
  }
  return out;
}

Error io_error(const std::string& what, const std::string& path, int error_number) {
  return Error{ErrorCode::kIo, what + ": " + std::generic_category().message(error_number), printable(path)};
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

Result<File> File::open_read(const std::string& path, Links links) {
  if (path.find('\0') != std::string::npos)
    return Error{ErrorCode::kArgument, "a path can't hold a NUL", printable(path)};
  File file;
  file.path_ = path;
  const int no_link = links == Links::kRefuse ? O_NOFOLLOW : 0;
  do {
    // Not blocking, so that opening a FIFO returns.
    file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | no_link);
  } while (file.descriptor_ < 0 && errno == EINTR);
  if (file.descriptor_ < 0) return io_error("cannot open", path, errno);
  struct stat status;
  if (::fstat(file.descriptor_, &status) != 0) return io_error("cannot examine", path, errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kIo, "not a regular file", printable(path)};
  file.stamp_ = stamp_of(status);
  file.mode_ = status.st_mode;
  file.owner_ = status.st_uid;
  file.links_ = status.st_nlink;
  return file;
}

Result<File> File::duplicate() const {
  File file;
  file.path_ = path_;
  file.stamp_ = stamp_;
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
  (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
}

}  // namespace lfm::base
