#include "base/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::base {
namespace {

TEST(Folder, PartsOfPathsAreThePathTogether) {
  struct Parts {
    const char *path, *folder, *name;
  };
  for (const Parts& parts : {Parts{"/a/b", "/a/", "b"}, {"b", "./", "b"}, {"/b", "/", "b"}, {"a//b.c", "a//", "b.c"}}) {
    EXPECT_EQ(folder_of(parts.path), parts.folder);
    EXPECT_EQ(name_of(parts.path), parts.name);
  }
  EXPECT_EQ(name_of("a/"), "");
  EXPECT_EQ(in_folder("/a", "b"), "/a/b");
  EXPECT_EQ(in_folder("/a/", "b"), "/a/b");
}

TEST(Folder, NamesAreWhatIsInIt) {
  const test::TempFolder folder;
  folder.write("one", "1");
  folder.write(".two", "2");
  std::filesystem::create_symlink("nowhere", folder.path("three"));
  auto names = names_in(folder.path("."));
  ASSERT_TRUE(names.ok());
  std::sort(names->begin(), names->end());
  EXPECT_EQ(*names, (std::vector<std::string>{".two", "one", "three"}));
  EXPECT_TRUE(names_in(folder.path("missing"))->empty());
  test::expect_error(names_in(folder.path("one")), ErrorCode::kIo, "cannot read");
}

TEST(Folder, AFolderIsMadeForItsOwner) {
  const test::TempFolder folder;
  const std::string deep = folder.path("a/b//c");
  test::expect_ok(make_folder(deep));
  EXPECT_TRUE(is_folder(deep));
  struct stat status;
  ASSERT_EQ(::stat(deep.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0700u);
  test::expect_ok(make_folder(deep));
  test::expect_ok(make_folder(folder.path("d/e/")));
  EXPECT_TRUE(is_folder(folder.path("d/e")));
  folder.write("file", "x");
  test::expect_error(make_folder(folder.path("file")), ErrorCode::kIo, "cannot make the folder");
  test::expect_error(make_folder(folder.path("file/below")), ErrorCode::kIo, "cannot make the folder");
  EXPECT_FALSE(is_folder(folder.path("file")));
  EXPECT_FALSE(is_folder(std::string("/\0", 2)));
}

TEST(Folder, FilesAreMovedAndRemoved) {
  const test::TempFolder folder;
  const std::string one = folder.write("one", "1"), two = folder.write("two", "2");
  test::expect_ok(move_file(one, two));
  EXPECT_EQ(folder.files(), std::vector<std::string>{"two"});
  test::expect_error(move_file(one, two), ErrorCode::kIo, "cannot move");
  EXPECT_TRUE(remove_file(two));
  EXPECT_FALSE(remove_file(two));
}

TEST(Folder, OneFileHasManyNames) {
  const test::TempFolder folder;
  const std::string file = folder.write("file", "x");
  std::filesystem::create_symlink("file", folder.path("link"));
  std::filesystem::create_hard_link(file, folder.path("other"));
  std::filesystem::create_directory_symlink(".", folder.path("here"));
  EXPECT_TRUE(same_file(file, folder.path("link")));
  EXPECT_TRUE(same_file(file, folder.path("other")));
  EXPECT_TRUE(same_file(file, folder.path("./here//file")));
  EXPECT_FALSE(same_file(file, folder.write("third", "x")));
  EXPECT_TRUE(same_file(folder.path("new"), folder.path("here/new"))) << "neither is there yet";
  EXPECT_FALSE(same_file(folder.path("new"), folder.path("newer")));
  EXPECT_FALSE(same_file(file, folder.path("new")));
}

}  // namespace
}  // namespace lfm::base
