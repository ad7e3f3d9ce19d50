#include "talk/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "talk/files.h"
#include "talk/json_text.h"

namespace lfm::cli {
namespace {

std::vector<std::string> entries_of(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto line = parse_json(text.substr(0, end));
    if (line.ok() && line->is_string() && line->get_ref<const std::string&>().size() <= HistoryFile::kEntryBytes)
      entries.push_back(line->get<std::string>());
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

void make_folders(const std::filesystem::path& folder) {
  std::error_code code;
  if (folder.empty() || std::filesystem::exists(folder, code)) return;
  make_folders(folder.parent_path());
  ::mkdir(folder.c_str(), 0700);
}

}  // namespace

std::string HistoryFile::default_path() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/lfm/chat_history";
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/state/lfm/chat_history" : "";
}

Result<std::vector<std::string>> HistoryFile::load() const {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file < 0 && errno == ENOENT) return std::vector<std::string>();
  std::string text;
  if (file < 0 || !is_own_file(file) || !read_end(file, kFileBytes, text)) return io_error("cannot read", path_);
  std::vector<std::string> entries = entries_of(text);
  const bool cut = text.size() == kFileBytes || entries.size() > 2 * kEntries;
  if (entries.size() > kEntries) entries.erase(entries.begin(), entries.end() - kEntries);
  if (cut) {
    if (Status status = rewrite(entries); !status.ok()) return std::move(status).error();
  }
  return entries;
}

Status HistoryFile::add(std::string_view entry) const {
  if (entry.empty() || entry.size() > kEntryBytes) return {};
  make_folders(std::filesystem::path(path_).parent_path());
  const Descriptor file(
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (file < 0 || !is_own_file(file) || !write_all(file, json_line(entry) + '\n'))
    return io_error("cannot write", path_);
  return {};
}

// Half of the bound at most, so that it isn't cut at every start.
Status HistoryFile::rewrite(const std::vector<std::string>& entries) const {
  std::string text;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::string line = json_line(*entry) + '\n';
    if (text.size() + line.size() > kFileBytes / 2) break;
    text.insert(0, line);
  }
  return replace_file(path_, text);
}

}  // namespace lfm::cli
