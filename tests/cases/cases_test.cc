// Every case of the tables: its files are made and opened, and what is said of them is what the table says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include "cases/change.h"
#include "cases/table.h"
#include "lfm/lfm.h"
#include "support/alloc_meter.h"
#include "support/temp_file.h"

namespace lfm::test {
namespace {

constexpr std::size_t kMaxExtraBytes = std::size_t{64} << 20;
constexpr std::pair<char, int> kGroups[] = {{'H', 10}, {'K', 15}, {'P', 13}, {'T', 18}, {'Q', 9},  {'V', 17},
                                            {'S', 13}, {'C', 20}, {'R', 22}, {'F', 12}, {'O', 20}, {'W', 8}};

const std::vector<CaseRow>& rows() {
  static const std::vector<CaseRow> all = read_case_tables(LFM_CASES);
  return all;
}

bool makes_a_file(const CaseRow& row) {
  return row.kind != "by" && row.kind != "not";
}

std::vector<std::string> ids_with_files() {
  std::vector<std::string> ids;
  for (const CaseRow& row : rows()) {
    if (makes_a_file(row)) ids.push_back(row.ids[0]);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// "@KEY+8" to a byte of the file; "@last KEY" is the last number of that name, "@data" any byte behind the list.
std::string place_in(const CaseFile& file, const std::string& word, std::uint64_t found) {
  if (word == "@data") {
    const Field& last = file.fields.back();
    return found >= last.offset + last.width && found < file.bytes.size() ? std::to_string(found) : "in the data";
  }
  const bool last = word.starts_with("@last ");
  std::string name = word.substr(last ? 6 : 1);
  const std::size_t sign = name.find_last_of("+-");
  const bool moved = sign != std::string::npos && sign + 1 < name.size() && std::isdigit(name[sign + 1]) != 0;
  const std::uint64_t by = moved ? number_of((name[sign] == '-' ? "-" : "") + name.substr(sign + 1)) : 0;
  if (moved) name.resize(sign);
  if (!name.empty() && std::isdigit(name[0]) != 0) return name;
  std::optional<std::size_t> offset;
  for (const Field& field : file.fields) {
    if (field.name == name && (last || !offset)) offset = field.offset;
  }
  return offset ? std::to_string(*offset + by) : "no " + name;
}

// The expected column with places as bytes: "format, header, @4". Words that the message holds are left out of it.
std::string resolved(const CaseRow& row, const CaseFile& file, const Error& error) {
  std::string text;
  for (std::string part : parts_of(row.expected, ", ")) {
    if (part.starts_with('"') && error.message.find(part.substr(1, part.size() - 2)) != std::string::npos) continue;
    if (part.starts_with('@')) part = "@" + place_in(file, part, error.offset);
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string said(const Error& error) {
  std::string text = std::string(to_string(error.code)) + ", " + error.field;
  if (error.index != Error::kNone) text += ", #" + std::to_string(error.index);
  if (error.offset != Error::kNone) text += ", @" + std::to_string(error.offset);
  return text;
}

// What was opened can be used: text goes to tokens and back, and the network gives numbers or says that it can't.
void expect_usable(const Engine& engine) {
  const std::string text = "The <|im_end|> <0x-1> \xff ok";
  const auto ids = engine.tokenizer().encode(text);
  ASSERT_TRUE(ids.ok());
  const auto back = engine.tokenizer().decode(*ids);
  ASSERT_TRUE(back.ok());
  EXPECT_NE(back->find(text), std::string::npos);
  auto session = engine.new_session({.context_tokens = 64});
  ASSERT_TRUE(session.ok());
  const Status status = session->append(std::span(*ids).first(std::min<std::size_t>(ids->size(), 8)));
  if (!status.ok()) {
    EXPECT_EQ(status.error().code, ErrorCode::kNumeric) << status.error().describe();
    return;
  }
  for (const float logit : session->logits()) ASSERT_TRUE(std::isfinite(logit));
}

void expect_as_written(const CaseRow& row) {
  SCOPED_TRACE(row.place);
  const CaseFile file = make_case_file(row.kind, row.input);
  const TempFile path(file.bytes);
  const std::clock_t start = std::clock();
  AllocMeter meter;
  const auto engine = Engine::open(path.path(), {.threads = 1});
  EXPECT_LE(meter.peak_bytes(), file.bytes.size() + kMaxExtraBytes);
  EXPECT_LE(std::clock() - start, CLOCKS_PER_SEC);
  if (engine.ok()) {
    EXPECT_EQ("ok", row.expected);
    expect_usable(*engine);
    return;
  }
  const Error& error = engine.error();
  EXPECT_EQ(said(error), resolved(row, file, error)) << error.describe();
  EXPECT_EQ(error.describe().find_first_of(std::string("\0\x1b\x07\n", 4)), std::string::npos);
}

class CaseTable : public testing::TestWithParam<std::string> {};

TEST_P(CaseTable, IsAnsweredAsWritten) {
  for (const CaseRow& row : rows()) {
    if (makes_a_file(row) && row.ids[0] == GetParam()) expect_as_written(row);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CaseTable, testing::ValuesIn(ids_with_files()),
                         [](const auto& id) { return id.param; });

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return std::move(text).str();
}

// The tests that the tables name for cases that aren't a file are there.
TEST(CaseTables, TestsTheyNameAreThere) {
  std::map<std::string, std::string> sources;
  for (const CaseRow& row : rows()) {
    if (row.kind != "by") continue;
    std::string& source = sources[row.expected];
    if (source.empty()) source = read_text(LFM_SOURCES "/" + row.expected);
    const std::string name = row.input.substr(row.input.find(' ') + 1);
    EXPECT_TRUE(source.find("(" + row.input + ")") != std::string::npos || source.find(name) != std::string::npos)
        << row.place;
  }
}

TEST(CaseTables, NoCaseIsMissing) {
  struct Count {
    std::size_t cases = 0, files = 0, tests = 0, not_here = 0;
  };
  std::map<std::string, std::size_t> seen;
  std::map<char, Count> counts;
  for (const CaseRow& row : rows()) {
    for (const std::string& id : row.ids) {
      Count& count = counts[id[0]];
      if (seen[id]++ == 0) ++count.cases;
      ++(row.kind == "not" ? count.not_here : row.kind == "by" ? count.tests : count.files);
    }
  }
  std::printf("group  cases  files  tests  not here\n");
  for (const auto& [group, expected] : kGroups) {
    for (int number = 1; number <= expected; ++number) {
      const std::string id = std::string(1, group) + (number < 10 ? "0" : "") + std::to_string(number);
      EXPECT_TRUE(seen.contains(id)) << id << " is in no table";
    }
    const Count& count = counts[group];
    EXPECT_EQ(count.cases, static_cast<std::size_t>(expected)) << group;
    std::printf("%c %10zu %6zu %6zu %9zu\n", group, count.cases, count.files, count.tests, count.not_here);
  }
}

}  // namespace
}  // namespace lfm::test
