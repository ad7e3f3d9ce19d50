// What was typed, from one run to the next.
#include "talk/history_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/temp_file.h"
#include "support/temp_folder.h"

namespace lfm::cli {
namespace {

using test::expect_error;
using test::expect_ok;

std::vector<std::string> load(const HistoryFile& file) {
  auto entries = file.load();
  EXPECT_TRUE(entries.ok()) << entries.error().describe();
  return entries.ok() ? *entries : std::vector<std::string>();
}

TEST(HistoryFile, KeepsEntriesInOrder) {
  const test::TempFolder folder;
  const HistoryFile file(folder.path("state/lfm/chat_history"));
  EXPECT_TRUE(load(file).empty());
  const std::vector<std::string> entries = {"Hello", "two\nlines", "\"quoted\" \\", "日本語 🦊", " "};
  for (const std::string& entry : entries) expect_ok(file.add(entry));
  expect_ok(file.add(""));
  EXPECT_EQ(load(file), entries);
}

TEST(HistoryFile, OnlyItsOwnerReadsIt) {
  const test::TempFolder folder;
  const HistoryFile file(folder.path("state/h"));
  expect_ok(file.add("Hello"));
  struct stat status {};
  ASSERT_EQ(::stat(folder.path("state/h").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder.path("state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(HistoryFile, DamagedLinesAreLeftOut) {
  const test::TempFolder folder;
  const std::string path = folder.write("h", "\"a\"\nnot json\n{\"a\":1}\n\"unfinished\n\n[\n\xff\xfe\n\"b\"\n" +
                                                 std::string(5000, '[') + "\n\"\\ud800\"\n\"c\"");
  EXPECT_EQ(load(HistoryFile(path)), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(HistoryFile, IsCutToItsBounds) {
  const test::TempFolder folder;
  const HistoryFile file(folder.path("h"));
  std::string many;
  for (int i = 0; i < 2001; ++i) many += "\"" + std::to_string(i) + "\"\n";
  folder.write("h", many);
  std::vector<std::string> entries = load(file);
  ASSERT_EQ(entries.size(), HistoryFile::kEntries);
  EXPECT_EQ(entries.front(), "1001");
  EXPECT_EQ(entries.back(), "2000");
  EXPECT_EQ(load(file), entries) << "the file was rewritten";
  EXPECT_LT(test::read_all(folder.path("h")).size(), 8000u);
  EXPECT_EQ(folder.files().size(), 1u);
}

TEST(HistoryFile, LongEntriesAreBounded) {
  const test::TempFolder folder;
  const HistoryFile file(folder.path("h"));
  expect_ok(file.add(std::string(HistoryFile::kEntryBytes + 1, 'x')));
  EXPECT_TRUE(load(file).empty());
  for (int i = 0; i < 70; ++i) expect_ok(file.add(std::string(HistoryFile::kEntryBytes, 'x')));
  EXPECT_GT(load(file).size(), 20u);
  EXPECT_LE(test::read_all(folder.path("h")).size(), HistoryFile::kFileBytes / 2);
  EXPECT_EQ(load(file).back(), std::string(HistoryFile::kEntryBytes, 'x'));
}

TEST(HistoryFile, NothingButARegularFileIsUsed) {
  const test::TempFolder folder;
  const std::string target = folder.write("target", "\"secret\"\n");
  ASSERT_EQ(::symlink(target.c_str(), folder.path("link").c_str()), 0);
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mkdir(folder.path("folder").c_str(), 0700), 0);
  for (const std::string name : {"link", "pipe", "folder"}) {
    const HistoryFile file(folder.path(name));
    expect_error(file.load(), ErrorCode::kIo, "cannot read");
    expect_error(file.add("x"), ErrorCode::kIo, "cannot write");
  }
  EXPECT_EQ(test::read_all(target), "\"secret\"\n");
}

TEST(HistoryFile, LiesWhereTheSystemWantsIt) {
  const test::EnvironmentVariable home("HOME", "/home/ada");
  {
    const test::EnvironmentVariable state("XDG_STATE_HOME", "/state");
    EXPECT_EQ(HistoryFile::default_path(), "/state/lfm/chat_history");
  }
  const test::EnvironmentVariable relative("XDG_STATE_HOME", "state");
  EXPECT_EQ(HistoryFile::default_path(), "/home/ada/.local/state/lfm/chat_history");
}

}  // namespace
}  // namespace lfm::cli
