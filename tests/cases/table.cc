#include "cases/table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "cases/change.h"

namespace lfm::test {
namespace {

// "V14-V16" to V14, V15, V16.
std::vector<std::string> ids_of(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return {text};
  std::vector<std::string> ids;
  const int last = std::stoi(text.substr(dash + 2));
  for (int number = std::stoi(text.substr(1, dash - 1)); number <= last; ++number) {
    ids.push_back(text.substr(0, 1) + (number < 10 ? "0" : "") + std::to_string(number));
  }
  return ids;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// "a {1, 2} b {}" to "a 1 b 1" and "a 2 b 2": one list a line.
std::vector<std::string> written_out(const std::string& line) {
  std::size_t begin = line.find('{');
  while (begin != std::string::npos && line.compare(begin, 2, "{}") == 0) begin = line.find('{', begin + 2);
  if (begin == std::string::npos) return {line};
  // A list may hold closing braces: it ends at the last one that isn't part of {}.
  std::string rest = line.substr(begin + 1);
  const std::size_t column = rest.find(" | ");
  std::size_t end = rest.rfind('}', column);
  while (end > 0 && rest[end - 1] == '{') end = rest.rfind('}', end - 2);
  std::vector<std::string> lines;
  for (const std::string& value : parts_of(rest.substr(0, end), ", ")) {
    std::string one = line.substr(0, begin) + value + rest.substr(end + 1);
    replace_all(one, "{}", value);
    lines.push_back(one);
  }
  return lines;
}

void read_table(const std::filesystem::path& path, std::vector<CaseRow>& rows) {
  std::ifstream file(path);
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    for (const std::string& one : written_out(line)) {
      const std::vector<std::string> columns = parts_of(one, " | ");
      const std::string place = path.filename().string() + ":" + std::to_string(number) + ": " + one.substr(0, 300);
      if (columns.size() < 3) throw std::invalid_argument("too few columns in " + place);
      rows.push_back({ids_of(columns[0]), columns[1], columns[2], columns.size() > 3 ? columns[3] : "", place});
    }
  }
}

}  // namespace

std::vector<CaseRow> read_case_tables(const std::string& folder) {
  std::vector<std::filesystem::path> tables;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      tables.push_back(entry.path());
  }
  std::sort(tables.begin(), tables.end());
  std::vector<CaseRow> rows;
  for (const auto& table : tables) read_table(table, rows);
  return rows;
}

}  // namespace lfm::test
