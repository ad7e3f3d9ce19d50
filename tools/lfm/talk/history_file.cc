#include "talk/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/try.h"
#include "talk/json_strings.h"
#include "talk/replace_file.h"
#include "user_folders.h"

namespace lfm::cli {
namespace {

std::vector<std::string> entries_of(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    auto line = read_json_string(text.substr(0, end));
    if (line && line->size() <= HistoryFile::kEntryBytes) entries.push_back(*std::move(line));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return entries;
}

// Only a regular file of this user's own is read or written: not a link, a pipe or a device.
bool is_own_file(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return false;
  errno = EPERM;
  return S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
}

// The last bytes of a file, at most so many. False: errno tells.
bool read_end(int file, std::size_t most, std::string& text) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  const auto least = static_cast<off_t>(most);
  if (size < 0 || ::lseek(file, size > least ? size - least : 0, SEEK_SET) < 0) return false;
  text.resize(static_cast<std::size_t>(std::min(size, least)));
  std::size_t filled = 0;
  ssize_t n = 1;
  for (; n > 0 && filled < text.size(); filled += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
    n = base::read_some(file, std::span(text).subspan(filled));
  text.resize(filled);
  return n >= 0;
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code code;
  if (folder.empty() || std::filesystem::exists(folder, code)) return;
  make_folders(folder.parent_path());
  ::mkdir(folder.c_str(), 0700);
}

}  // namespace

std::string HistoryFile::default_path() {
  const std::string folder = user_state_folder();
  return folder.empty() ? "" : folder + "/chat_history";
}

Result<std::vector<std::string>> HistoryFile::load() const {
  const base::Descriptor file(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::vector<std::string>();
  std::string text;
  if (file.get() < 0 || !is_own_file(file.get()) || !read_end(file.get(), kFileBytes, text))
    return base::io_error("cannot read", path_, errno);
  std::vector<std::string> entries = entries_of(text);
  const bool cut = text.size() == kFileBytes || entries.size() > 2 * kEntries;
  if (entries.size() > kEntries) entries.erase(entries.begin(), entries.end() - kEntries);
  if (cut) LFM_TRY(rewrite(entries));
  return entries;
}

Status HistoryFile::add(std::string_view entry) const {
  if (entry.empty() || entry.size() > kEntryBytes) return {};
  make_folders(std::filesystem::path(path_).parent_path());
  const base::Descriptor file(
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (file.get() < 0 || !is_own_file(file.get()) || !base::write_all(file.get(), json_string(entry) + '\n'))
    return base::io_error("cannot write", path_, errno);
  return {};
}

// Half of the bound at most, so that it isn't cut at every start.
Status HistoryFile::rewrite(const std::vector<std::string>& entries) const {
  std::string text;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::string line = json_string(*entry) + '\n';
    if (text.size() + line.size() > kFileBytes / 2) break;
    text.insert(0, line);
  }
  return replace_file(path_, text);
}

}  // namespace lfm::cli
