#include "base/folder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/try.h"

namespace lfm::base {
namespace {

// Where the path leads, also if nothing is there yet; the path itself where its folder isn't either.
std::string place_of(const std::string& path) {
  if (auto real = real_path(path); real.ok()) return *std::move(real);
  const auto folder = real_path(folder_of(path));
  return folder.ok() ? in_folder(*folder, name_of(path)) : path;
}

}  // namespace

std::string_view name_of(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "./" : std::string(path.substr(0, slash + 1));
}

std::string in_folder(const std::string& folder, std::string_view name) {
  std::string path = folder;
  if (!path.empty() && path.back() != '/') path += '/';
  return path.append(name);
}

bool is_folder(const std::string& path) noexcept {
  struct stat status;
  return path.find('\0') == std::string::npos && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, decltype([](DIR* it) { ::closedir(it); })> opened(::opendir(folder.c_str()));
  if (opened == nullptr && errno == ENOENT) return names;
  if (opened == nullptr) return io_error("cannot read", folder, errno);
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    if (entry == nullptr && errno != 0) return io_error("cannot read", folder, errno);
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Status make_folder(const std::string& path) {
  constexpr mode_t kUsual = 0777;
  if (is_folder(path)) return {};
  for (std::size_t slash = path.find('/', 1); slash < path.size(); slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (slash + 1 == path.size() || is_folder(above)) continue;
    if (::mkdir(above.c_str(), kUsual) != 0 && errno != EEXIST) return io_error("cannot make the folder", above, errno);
  }
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || (errno == EEXIST && is_folder(path))) return {};
  return io_error("cannot make the folder", path, errno);
}

Status move_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return io_error("cannot move", to, errno);
}

bool remove_file(const std::string& path) noexcept {
  return ::unlink(path.c_str()) == 0;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat first;
  struct stat second;
  if (::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0)
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  return place_of(a) == place_of(b);
}

}  // namespace lfm::base
