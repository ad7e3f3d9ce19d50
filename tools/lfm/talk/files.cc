#include "talk/files.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lfm::cli {

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Error io_error(const char* what, const std::string& path) {
  return Error{ErrorCode::kIo, std::string(what) + ": " + std::strerror(errno), path};
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_end(int file, std::size_t most, std::string& text) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  const auto least = static_cast<off_t>(most);
  if (size < 0 || ::lseek(file, size > least ? size - least : 0, SEEK_SET) < 0) return false;
  text.resize(static_cast<std::size_t>(std::min(size, least)));
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t n = ::read(file, text.data() + filled, text.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  text.resize(filled);
  return true;
}

Status replace_file(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkstemp(temporary.data()));  // mode 0600
  if (file < 0) return io_error("cannot write", path);
  if (write_all(file, bytes) && ::fsync(file) == 0 && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  Error error = io_error("cannot write", path);
  ::unlink(temporary.c_str());
  return error;
}

std::string with_home(const std::string& path) {
  const char* const home = ::getenv("HOME");
  return path.starts_with("~/") && home != nullptr ? home + path.substr(1) : path;
}

}  // namespace lfm::cli
