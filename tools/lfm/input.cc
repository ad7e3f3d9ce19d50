#include "input.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/try.h"
#include "io.h"

namespace lfm::cli {
namespace {

constexpr std::string_view kStandardInput = "standard input";

// Whether every second byte is zero, as where letters of Latin are written in UTF-16.
bool looks_like_utf16(std::string_view text) {
  constexpr std::size_t kLooked = 64;
  constexpr std::size_t kEnough = 8;
  std::size_t zeros[2] = {};
  const std::size_t size = std::min(text.size(), kLooked) / 2 * 2;
  for (std::size_t i = 0; i < size; ++i) zeros[i % 2] += text[i] == '\0' ? 1 : 0;
  return size >= kEnough && ((zeros[0] == 0 && zeros[1] == size / 2) || (zeros[1] == 0 && zeros[0] == size / 2));
}

}  // namespace

Status take_mark(std::string& text, const std::string& name) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return Error{ErrorCode::kFormat, "this is UTF-16; lfm reads UTF-8", name};
  if (looks_like_utf16(text)) print_note(name + ": this looks like UTF-16; lfm reads UTF-8");
  if (!text.starts_with("\xEF\xBB\xBF")) return {};
  text.erase(0, 3);
  print_note(name + ": the byte order mark is left out");
  return {};
}

namespace {

void say_what_is_awaited() {
  if (::isatty(STDIN_FILENO) == 1) write_err("lfm: reading standard input; Ctrl-D ends it\n");
}

// Appends what is there; false at the end.
Result<bool> read_more(int file, std::string& text, const std::string& name) {
  std::array<char, 65536> buffer;
  const ssize_t n = base::read_some(file, buffer);
  if (n < 0) return base::io_error("cannot read", name, errno);
  text.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

}  // namespace

Result<std::string> read_input(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? std::string(kStandardInput) : path;
  const base::Descriptor opened(standard ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!standard && opened.get() < 0) return base::io_error("cannot open", path, errno);
  const int file = standard ? STDIN_FILENO : opened.get();
  if (standard) say_what_is_awaited();
  std::string text;
  for (bool more = true; more;) {
    LFM_ASSIGN(more, read_more(file, text, name));
    if (text.size() > kMaxInputBytes) return Error{ErrorCode::kLimit, "more than 256 MiB", name};
  }
  LFM_TRY(take_mark(text, name));
  return text;
}

Result<std::optional<std::string>> InputLines::next() {
  const std::string name(kStandardInput);
  std::size_t end = kept_.find('\n', at_);
  while (end == std::string::npos && !ended_) {
    kept_.erase(0, std::exchange(at_, 0));
    const std::size_t looked_at = kept_.size();
    auto more = read_more(STDIN_FILENO, kept_, name);
    ended_ = !more.ok() || !*more;
    LFM_TRY(std::move(more));
    end = kept_.find('\n', looked_at);
    if (std::min(end, kept_.size()) < kMaxLineBytes) continue;
    ended_ = true;
    kept_.clear();
    return Error{ErrorCode::kLimit, "a line is longer than 64 MiB", name};
  }
  if (at_ == kept_.size()) return std::optional<std::string>();
  std::string line = kept_.substr(at_, end - at_);
  at_ = std::min(end, kept_.size() - 1) + 1;
  if (!std::exchange(begun_, true)) LFM_TRY(take_mark(line, name));
  return std::optional<std::string>(std::move(line));
}

Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (true) {
    while (at < end && is_space(*at)) ++at;
    if (at == end) return ids;
    TokenId id;
    const auto [next, code] = std::from_chars(at, end, id);
    if (code != std::errc() || (next < end && !is_space(*next))) {
      return Error{ErrorCode::kFormat, "not a token id", "ids", ids.size(),
                   static_cast<std::uint64_t>(at - text.data())};
    }
    ids.push_back(id);
    at = next;
  }
}

}  // namespace lfm::cli
