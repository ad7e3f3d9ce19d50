// What was typed at the prompt, kept from one run to the next.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::cli {

// A file with one JSON string a line, the oldest first, which only its owner can read. Several programs may add to it.
class HistoryFile {
 public:
  static constexpr std::size_t kEntries = 1000;  // kept when the file is cut
  static constexpr std::size_t kEntryBytes = std::size_t{16} << 10;
  static constexpr std::size_t kFileBytes = std::size_t{1} << 20;  // beyond which load() cuts it

  explicit HistoryFile(std::string path) : path_(std::move(path)) {}

  // As the XDG base directory specification has it: lfm/chat_history in the user's state folder; empty where the system
  // doesn't tell.
  static std::string default_path();

  // The last entries that fit the bounds. A missing file has none; lines that can't be read are left out. kIo.
  Result<std::vector<std::string>> load() const;

  // Adds an entry, and makes the file and its folders where they are missing; one that is too long isn't kept. kIo.
  Status add(std::string_view entry) const;

 private:
  Status rewrite(const std::vector<std::string>& entries) const;

  std::string path_;
};

}  // namespace lfm::cli
