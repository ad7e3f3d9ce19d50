// Split GGUF files: any part is named, parts are missing, changed, cut, or of other files.
#include "source/gguf_split.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "source/gguf_source.h"
#include "support/expect.h"
#include "support/loaded.h"
#include "support/split.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

class GgufSplit : public testing::Test {
 protected:
  static std::string name(std::size_t i, std::size_t count) { return part_name("tiny", i, count); }

  void write(const std::vector<GgufBuilder>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) folder_.write(name(i, parts.size()), parts[i].build());
  }

  Result<std::unique_ptr<source::Source>> open(const std::string& name) {
    auto file = base::File::open_read(folder_.path(name));
    if (!file.ok()) return std::move(file).error();
    return source::open(*std::move(file));
  }

  TempFolder folder_;
  GgufBuilder whole_ = TinyModel().builder();
};

TEST_F(GgufSplit, AnyPartOpensAll) {
  const auto loaded = load(whole_);
  ASSERT_TRUE(loaded.ok());
  for (const std::size_t count : {2u, 3u, 7u}) {
    for (const bool tensors_in_first : {true, false}) {
      write(split(whole_, count, tensors_in_first));
      for (std::size_t named = 0; named < count; ++named) {
        const auto source = open(name(named, count));
        ASSERT_TRUE(source.ok()) << source.error().describe();
        EXPECT_EQ((*source)->files.size(), count);
        EXPECT_EQ((*source)->files[0].path(), folder_.path(name(0, count)));
        EXPECT_EQ((*source)->tensors.size(), whole_.tensors.size());
        const auto config = (*source)->config();
        ASSERT_TRUE(config.ok()) << config.error().describe();
        const auto table = match_tensors((*source)->tensors, (*source)->naming, *config);
        ASSERT_TRUE(table.ok()) << table.error().describe();
        EXPECT_EQ(table->totals.bytes, loaded->table.totals.bytes);
        const auto restored = source::restore((*source)->identity());
        ASSERT_TRUE(restored.ok()) << restored.error().describe();
        EXPECT_EQ((*restored)->identity(), (*source)->identity());
      }
    }
  }
}

TEST_F(GgufSplit, APartThatIsMissingIsNamed) {
  write(split(whole_, 3));
  fs::remove(folder_.path(name(1, 3)));
  for (const std::size_t named : {0u, 2u}) expect_error(open(name(named, 3)), ErrorCode::kIo, name(1, 3));
}

TEST_F(GgufSplit, APartsNameSaysWhichItIs) {
  const auto parts = split(whole_, 2);
  const std::string bytes = parts[0].build();
  for (const char* other : {"model.gguf", "tiny-00002-of-00002.gguf", "tiny-00001-of-00003.gguf", "-1-of-2.gguf"}) {
    folder_.write(other, bytes);
    expect_error(open(other), ErrorCode::kFormat, "-00001-of-00002.gguf");
  }
}

TEST_F(GgufSplit, PartsThatDontBelongTogetherAreRefused) {
  const auto expect = [&](std::vector<GgufBuilder> parts, ErrorCode code, const std::string& text) {
    write(parts);
    for (std::size_t named = 0; named < parts.size(); named += 2) expect_error(open(name(named, 3)), code, text);
  };
  const auto parts = split(whole_, 3);
  auto changed = parts;
  changed[1].set_u32("split.no", 2);
  expect(changed, ErrorCode::kFormat, "split.no: is 2, expected 1, in part 2 of 3");
  changed = parts;
  changed[1].set_u32("split.count", 1);
  expect(changed, ErrorCode::kFormat, "split.count: is 1, expected 3, in part 2 of 3");
  changed = parts;
  changed[1].erase("split.count");
  expect(changed, ErrorCode::kFormat, "in part 2 of 3");
  changed = parts;
  changed[1].tensors.pop_back();
  expect(changed, ErrorCode::kFormat, "split.tensors.count");
  changed = parts;
  changed[1].version = 1;
  expect(changed, ErrorCode::kUnsupported, name(1, 3));
  write(parts);
  fs::resize_file(folder_.path(name(1, 3)), fs::file_size(folder_.path(name(1, 3))) - 64);
  expect_error(open(name(0, 3)), ErrorCode::kFormat, name(1, 3));
}

TEST_F(GgufSplit, ATensorInTwoPartsIsRefused) {
  auto parts = split(whole_, 2);
  parts[1].tensors[0] = parts[0].tensors[0];
  write(parts);
  const auto source = open(name(0, 2));
  ASSERT_TRUE(source.ok());
  expect_error(match_tensors((*source)->tensors, (*source)->naming, *(*source)->config()), ErrorCode::kFormat,
               "there twice");
}

TEST_F(GgufSplit, CountsThatLie) {
  for (const std::uint32_t count : {1001u, 65535u, 0xffffffffu}) {
    GgufBuilder file = whole_;
    file.set_u32("split.count", count);
    folder_.write("tiny-00001-of-00002.gguf", file.build());
    expect_error(open("tiny-00001-of-00002.gguf"), ErrorCode::kLimit, "parts are more than");
  }
  for (const std::uint32_t count : {0u, 1u}) {  // merged again
    GgufBuilder file = whole_;
    file.set_u32("split.count", count);
    folder_.write("whole.gguf", file.build());
    EXPECT_TRUE(open("whole.gguf").ok());
  }
}

// Every number of every part replaced by the values at which arithmetic goes wrong.
TEST_F(GgufSplit, EveryNumberOfAPartMayLie) {
  TinyModel tiny;
  tiny.tokenizer = false;
  const auto parts = split(tiny.builder(), 2);
  write(parts);
  std::size_t refused = 0, files = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<Field> fields;
    const std::string bytes = parts[i].build(&fields);
    for (const Field& field : fields) {
      for (const char byte : {'\0', '\x7f', '\xff'}) {
        std::string changed = bytes;
        std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(field.offset), field.width, byte);
        folder_.write(name(i, 2), changed);
        const auto source = open(name(0, 2));
        if (!source.ok()) {
          EXPECT_FALSE(source.error().field.empty()) << field.name;
          ++refused;
        }
        ++files;
      }
    }
    folder_.write(name(i, 2), bytes);
  }
  EXPECT_GT(refused, files / 3);
  EXPECT_TRUE(open(name(0, 2)).ok());
}

}  // namespace
}  // namespace lfm::test
