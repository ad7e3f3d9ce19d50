#include "talk/message_lines.h"

namespace lfm::cli {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";

bool goes_on(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

}  // namespace

bool MessageLines::add(std::string_view line, Pasted pasted) {
  if (open_) {
    text_ += '\n';
  } else {
    text_.clear();
    quoted_ = line.starts_with(kQuotes) && !pasted.begin;
    literal_ = quoted_ || pasted.begin;
    open_ = quoted_;
    if (quoted_) line.remove_prefix(kQuotes.size());
  }
  if (quoted_) return add_quoted(line, pasted);
  open_ = goes_on(line) && !pasted.end;
  text_ += open_ ? line.substr(0, line.size() - 1) : line;
  return !open_;
}

// The line breaks next to the quotes aren't part of the text.
bool MessageLines::add_quoted(std::string_view line, Pasted pasted) {
  if (!line.ends_with(kQuotes) || pasted.end) {
    text_ += line;
    return false;
  }
  text_ += line.substr(0, line.size() - kQuotes.size());
  if (text_.starts_with('\n')) text_.erase(0, 1);
  if (text_.ends_with('\n')) text_.pop_back();
  open_ = false;
  return true;
}

}  // namespace lfm::cli
