// The tables of cases: one line each, or several files by a list in braces.
#pragma once

#include <string>
#include <vector>

namespace lfm::test {

struct CaseRow {
  std::vector<std::string> ids;  // "K12"; several of what isn't here
  std::string kind;              // of the file to begin with, or "by", "not"
  std::string input;             // changes; test suite and name; the reason
  std::string expected;          // what Engine::open says; the test's source
  std::string place;             // "header.txt:12: ..." for messages
};

// All rows of the tables in a folder, lists written out.
std::vector<CaseRow> read_case_tables(const std::string& folder);

}  // namespace lfm::test
