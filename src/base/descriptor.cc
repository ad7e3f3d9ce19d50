#include "base/descriptor.h"

#include <poll.h>

#include <cerrno>

namespace lfm::base {
namespace {

// Whether the call may be tried again, once the file is ready for it.
bool again(int file, short event) noexcept {
  if (errno == EINTR) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
  pollfd ready{file, event, 0};
  return ::poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

ssize_t read_some(int file, std::span<char> out) noexcept {
  ssize_t n;
  do {
    n = ::read(file, out.data(), out.size());
  } while (n < 0 && again(file, POLLIN));
  return n;
}

bool write_all(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && again(file, POLLOUT)) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace lfm::base
