// Packed files: what was written is read, and nothing else is (F01, F02, F03, F05, F08, F10).
#include "format/pack_file.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/checksum.h"
#include "base/mapped_file.h"
#include "format/pack_writer.h"
#include "support/expect.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

using base::AtomicFile;
using base::File;
using format::PackFile;
using format::PackHeader;
using format::PackPlaces;
using format::PackWriter;

constexpr format::PackLayout kLayout{1, 1, 16, 8};
constexpr format::PackSource kSource{7, 5};

std::string some_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

class PackFileTest : public testing::Test {
 protected:
  Status write(const std::string& path, const std::string& header, const std::string& weights,
               AtomicFile::Existing existing = AtomicFile::Existing::kReplace) {
    auto writer = PackWriter::create(path, kLayout, kSource, as_bytes(header), as_bytes(weights));
    if (!writer.ok()) return std::move(writer).error();
    for (std::uint64_t i = writer->places().chunks; i-- > 0;) {
      if (auto status = writer->write_chunk(i); !status.ok()) return status;
    }
    return writer->commit(0600, existing);
  }

  // The file of some bytes, opened; and whether all of its weights are as written.
  Status check(const std::string& bytes) {
    auto file = File::open_read(folder_.write("changed", bytes));
    if (!file.ok()) return std::move(file).error();
    auto pack = PackFile::open(*file);
    if (!pack.ok()) return std::move(pack).error();
    for (std::uint64_t i = 0; i < pack->places().chunks; ++i) {
      const auto chunk = as_bytes(bytes).subspan(pack->places().weights_offset + pack->places().chunk_begin(i),
                                                 pack->places().chunk_bytes(i));
      if (auto status = pack->check_chunk(i, chunk); !status.ok()) return status;
    }
    return {};
  }

  std::string packed(const std::string& header, const std::string& weights) {
    expect_ok(write(folder_.path("packed"), header, weights));
    return read_all(folder_.path("packed"));
  }

  TempFolder folder_;
};

TEST_F(PackFileTest, GivesBackWhatWasWritten) {
  const std::string header = some_bytes(5000);
  for (const std::size_t size :
       {std::size_t{64}, std::size_t{format::kPackChunk}, std::size_t{3 * format::kPackChunk + 192}}) {
    const std::string weights = some_bytes(size);
    const std::string bytes = packed(header, weights);
    const auto file = File::open_read(folder_.path("packed"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(*PackFile::begins(*file));
    const auto pack = PackFile::open(*file);
    ASSERT_TRUE(pack.ok()) << pack.error().describe();
    EXPECT_TRUE(pack->layout() == kLayout);
    EXPECT_TRUE(pack->source() == kSource);
    EXPECT_EQ(std::memcmp(pack->identity().data(), header.data(), header.size()), 0);
    EXPECT_EQ(bytes.substr(pack->places().weights_offset), weights);
    expect_ok(check(bytes));
    const auto mapped = base::MappedFile::map(*file, pack->places().weights_offset, pack->places().weights_bytes,
                                              base::MappedFile::Writers::kHeldOff);
    ASSERT_TRUE(mapped.ok());
    EXPECT_EQ(std::memcmp(mapped->data(), weights.data(), weights.size()), 0);
    EXPECT_EQ(folder_.files().size(), 2u);  // "packed" and "changed"
  }
}

TEST_F(PackFileTest, SaysWhereItComesFrom) {
  const std::string weights = some_bytes(100);
  const auto origin_of = [&](const std::string& path) -> Result<std::string> {
    auto writer = PackWriter::create(folder_.path("packed"), kLayout, kSource, as_bytes(weights), as_bytes(weights));
    if (!writer.ok()) return std::move(writer).error();
    writer->keep_origin(path);
    if (Status status = writer->write_chunk(0); !status.ok()) return std::move(status).error();
    if (Status status = writer->commit(0600, base::AtomicFile::Existing::kReplace); !status.ok())
      return std::move(status).error();
    const auto file = File::open_read(folder_.path("packed"));
    if (!file.ok()) return file.error();
    expect_ok(PackFile::open(*file));
    return PackFile::origin(*file);
  };
  const std::size_t most = format::PackHeader::kBytes - sizeof(format::PackHeader) - 1;
  for (const std::string& path : {std::string(), std::string("/models/a b.gguf"), "/" + std::string(most - 1, 'x')})
    EXPECT_EQ(origin_of(path).value(), path);
  EXPECT_EQ(origin_of(std::string(most + 1, 'x')).value(), "");
}

TEST_F(PackFileTest, LargeWeightsBeginAtALargePage) {
  EXPECT_EQ(PackPlaces::of(100, std::uint64_t{4} << 30).weights_offset % format::kPackChunk, 0u);
  EXPECT_EQ(PackPlaces::of(100, 100).weights_offset, 3 * 4096u);
}

TEST_F(PackFileTest, CutAnywhereIsRefused) {
  const std::string bytes = packed(some_bytes(5000), some_bytes(3 * format::kPackChunk));
  for (std::size_t size = 0; size < bytes.size(); size += 4096)
    expect_error(check(bytes.substr(0, size)), ErrorCode::kFormat, "truncated");
  expect_error(check(bytes.substr(0, bytes.size() - 1)), ErrorCode::kFormat, "truncated");
  expect_error(check(bytes + "x"), ErrorCode::kFormat, "longer than written");
  expect_error(check(std::string(bytes.size(), '\0')), ErrorCode::kFormat, "not a packed model file");
}

TEST_F(PackFileTest, EveryFlippedBitOfTheHeaderIsSeen) {
  std::string bytes = packed(some_bytes(200), some_bytes(64));
  for (std::size_t bit = 0; bit < 8 * PackHeader::kBytes; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Status status = check(bytes);
    ASSERT_FALSE(status.ok()) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
  expect_ok(check(bytes));
}

TEST_F(PackFileTest, EveryFlippedBitOfTheOtherPartsIsSeen) {
  const std::string header = some_bytes(97);
  const std::string weights = some_bytes(192);
  std::string bytes = packed(header, weights);
  const PackPlaces places = PackPlaces::of(header.size(), weights.size());
  const auto flip_all = [&](std::uint64_t begin, std::uint64_t size) {
    for (std::uint64_t bit = 8 * begin; bit < 8 * (begin + size); ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      expect_error(check(bytes), ErrorCode::kFormat, "damaged");
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  };
  flip_all(places.identity_offset, header.size());
  flip_all(places.sums_offset, 8);
  flip_all(places.weights_offset, weights.size());
}

// Numbers that contradict each other, with a checksum that is right.
TEST_F(PackFileTest, SizesThatLieAreRefused) {
  const std::string bytes = packed(some_bytes(200), some_bytes(4096));
  const std::size_t fields[] = {offsetof(PackHeader, identity_offset), offsetof(PackHeader, identity_bytes),
                                offsetof(PackHeader, sums_offset),     offsetof(PackHeader, sums_bytes),
                                offsetof(PackHeader, weights_offset),  offsetof(PackHeader, weights_bytes),
                                offsetof(PackHeader, header_bytes)};
  const std::uint64_t values[] = {0, 1, 199, 4095, 0x7fffffff, 0xffffffff, 1ull << 32, 1ull << 47, 1ull << 63, ~0ull};
  for (const std::size_t field : fields) {
    for (const std::uint64_t value : values) {
      std::string changed = bytes;
      std::memcpy(changed.data() + field, &value, field == offsetof(PackHeader, header_bytes) ? 4 : 8);
      std::memset(changed.data() + offsetof(PackHeader, header_sum), 0, 8);
      const std::uint64_t sum = base::checksum(as_bytes(changed).first(PackHeader::kBytes));
      std::memcpy(changed.data() + offsetof(PackHeader, header_sum), &sum, 8);
      const Status status = check(changed);
      ASSERT_FALSE(status.ok()) << field << " " << value;
      EXPECT_EQ(status.error().code, ErrorCode::kFormat) << status.error().describe();
    }
  }
}

TEST_F(PackFileTest, AnotherVersionIsUnsupported) {
  std::string bytes = packed(some_bytes(200), some_bytes(64));
  bytes[offsetof(PackHeader, version)] = 99;
  expect_error(check(bytes), ErrorCode::kUnsupported, "pack the model again");
}

TEST_F(PackFileTest, NothingAppearsBeforeCommit) {
  const std::string weights = some_bytes(64);
  {
    auto writer = PackWriter::create(folder_.path("packed"), kLayout, kSource, as_bytes(weights), as_bytes(weights));
    ASSERT_TRUE(writer.ok());
    expect_ok(writer->write_chunk(0));
    EXPECT_FALSE(std::filesystem::exists(folder_.path("packed")));
  }
  EXPECT_TRUE(folder_.files().empty());
}

TEST_F(PackFileTest, OneWriterAtATime) {
  auto first = AtomicFile::create(folder_.path("file"), 0);
  ASSERT_TRUE(first.ok());
  expect_error(AtomicFile::create(folder_.path("file"), 0), ErrorCode::kState, "another process");
  expect_ok(first->commit(0600, AtomicFile::Existing::kKeep));
  auto second = AtomicFile::create(folder_.path("file"), 0);
  ASSERT_TRUE(second.ok());
  expect_error(second->commit(0600, AtomicFile::Existing::kKeep), ErrorCode::kIo, "exists");
}

TEST_F(PackFileTest, AnOpenFileOutlivesItsReplacementAndRemoval) {
  const std::string old_weights = some_bytes(4096);
  expect_ok(write(folder_.path("packed"), "old", old_weights));
  const auto file = File::open_read(folder_.path("packed"));
  const auto mapped =
      base::MappedFile::map(*file, PackPlaces::of(3, 4096).weights_offset, 4096, base::MappedFile::Writers::kHeldOff);
  ASSERT_TRUE(mapped.ok());
  expect_ok(write(folder_.path("packed"), "new", std::string(4096, 'x')));
  std::filesystem::remove(folder_.path("packed"));
  EXPECT_EQ(std::memcmp(mapped->data(), old_weights.data(), 4096), 0);
}

TEST_F(PackFileTest, LeftoversAreRemovedAndLivingPartsAreNot) {
  folder_.write(".killed.lfm.part", "half");
  for (const char* others : {".film.part", "killed.lfm.part", ".killed.lfm", ".part", "..part"})
    folder_.write(others, "not ours");
  auto living = AtomicFile::create(folder_.path("living.lfm"), 0);
  ASSERT_TRUE(living.ok());
  AtomicFile::remove_leftovers(folder_.path("."), [](std::string_view name) { return name.ends_with(".lfm"); });
  auto files = folder_.files();
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, (std::vector<std::string>{"..part", ".film.part", ".killed.lfm", ".living.lfm.part", ".part",
                                             "killed.lfm.part"}));
  // And what a killed writer left is written over.
  folder_.write(".again.part", some_bytes(10000));
  auto again = AtomicFile::create(folder_.path("again"), 0);
  ASSERT_TRUE(again.ok());
  expect_ok(again->commit(0600, AtomicFile::Existing::kKeep));
  EXPECT_EQ(std::filesystem::file_size(folder_.path("again")), 0u);
}

TEST_F(PackFileTest, APartThatIsALinkIsNotWritten) {
  folder_.write("precious", "precious");
  std::filesystem::create_symlink("precious", folder_.path(".file.part"));
  expect_error(AtomicFile::create(folder_.path("file"), 0), ErrorCode::kIo, "");
  std::filesystem::remove(folder_.path(".file.part"));
  std::filesystem::create_hard_link(folder_.path("precious"), folder_.path(".file.part"));
  expect_error(AtomicFile::create(folder_.path("file"), 0), ErrorCode::kIo, "in the way");
  EXPECT_EQ(read_all(folder_.path("precious")), "precious");
}

TEST_F(PackFileTest, OnlyARegularFileMayBeReplaced) {
  folder_.write("file", "x");
  std::filesystem::create_directory(folder_.path("folder"));
  std::filesystem::create_symlink("file", folder_.path("link"));
  std::filesystem::create_symlink("nowhere", folder_.path("dangling"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  expect_ok(AtomicFile::check_target(folder_.path("file")));
  expect_ok(AtomicFile::check_target(folder_.path("missing")));
  for (const char* name : {"folder", "link", "dangling", "fifo"})
    expect_error(AtomicFile::check_target(folder_.path(name)), ErrorCode::kArgument, "isn't a regular file");
  expect_error(AtomicFile::check_target("/dev/null"), ErrorCode::kArgument, "isn't a regular file");
}

TEST_F(PackFileTest, ThePaddingBetweenPartsIsLookedAtWhereItIsAsked) {
  const std::string bytes = packed(some_bytes(97), some_bytes(192));
  for (const std::size_t at : {4096u + 97, 2u * 4096 - 1, 2u * 4096 + 8, 3u * 4096 - 1}) {
    std::string changed = bytes;
    ASSERT_EQ(changed[at], '\0');
    changed[at] = 1;
    expect_ok(check(changed));
    const auto file = File::open_read(folder_.path("changed"));
    const Status status = PackFile::open(*file)->check_padding(*file);
    expect_error(status, ErrorCode::kFormat, "isn't zero");
    EXPECT_EQ(status.error().offset, at);
  }
  expect_ok(check(bytes));
  const auto file = File::open_read(folder_.path("changed"));
  expect_ok(PackFile::open(*file)->check_padding(*file));
}

TEST_F(PackFileTest, FailedRenamesAndFullDisksLeaveNothing) {
  expect_error(AtomicFile::create(folder_.path("file"), std::uint64_t{1} << 60), ErrorCode::kIo, "reserve");
  std::filesystem::create_directory(folder_.path("taken"));
  auto file = AtomicFile::create(folder_.path("taken"), 0);
  ASSERT_TRUE(file.ok());
  expect_error(file->commit(0600, AtomicFile::Existing::kReplace), ErrorCode::kIo, "cannot write");
  { const AtomicFile gone = *std::move(file); }
  EXPECT_EQ(folder_.files(), std::vector<std::string>{"taken"});
  expect_error(AtomicFile::create(folder_.path("missing/file"), 0), ErrorCode::kIo, "No such file");
  expect_error(AtomicFile::create("", 0), ErrorCode::kArgument, "not the name");
}

TEST_F(PackFileTest, FilesThatOthersMayWriteAreNotMapped) {
  expect_ok(write(folder_.path("packed"), "header", some_bytes(4096)));
  ::chmod(folder_.path("packed").c_str(), 0666);
  const auto file = File::open_read(folder_.path("packed"));
  EXPECT_FALSE(file->guarded());
  expect_error(base::MappedFile::map(*file, 0, 4096, base::MappedFile::Writers::kTrusted), ErrorCode::kIo,
               "others may write");
}

TEST(Checksum, SeesEveryBitLengthAndOrder) {
  std::string bytes = some_bytes(300);
  const std::uint64_t sum = base::checksum(as_bytes(bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(base::checksum(as_bytes(bytes)), sum);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
  EXPECT_NE(base::checksum(as_bytes(bytes), 1), sum);
  std::swap_ranges(bytes.begin(), bytes.begin() + 64, bytes.begin() + 64);
  EXPECT_NE(base::checksum(as_bytes(bytes)), sum);
  EXPECT_NE(base::checksum(as_bytes(std::string(64, '\0'))), base::checksum(as_bytes(std::string(65, '\0'))));
  EXPECT_EQ(base::checksum(as_bytes(bytes.substr(0, 0))), base::checksum({}));
}

// Three numbers whose signs change, wherever they are, which a sum of words may not see.
TEST(Checksum, SeesNegatedFloats) {
  std::vector<float> floats(4096);
  std::uint32_t state = 1;
  for (float& x : floats) x = static_cast<float>(state = state * 1664525 + 1013904223) / 1e9f;
  const std::uint64_t sum = base::checksum(std::as_bytes(std::span(floats)));
  for (std::size_t at = 0; at + 18 <= floats.size(); at += 7) {
    for (const std::size_t i : {at + 1, at + 16, at + 17}) floats[i] = -floats[i];
    EXPECT_NE(base::checksum(std::as_bytes(std::span(floats))), sum) << at;
    for (const std::size_t i : {at + 1, at + 16, at + 17}) floats[i] = -floats[i];
  }
  EXPECT_EQ(base::checksum(std::as_bytes(std::span(floats))), sum);
}

}  // namespace
}  // namespace lfm::test
