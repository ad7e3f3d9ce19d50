// Packed files and the cache of them, through the library: the same logits from every source, and nothing stale,
// foreign or damaged is ever used (F03 to F09).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/checksum.h"
#include "format/pack_file.h"
#include "lfm/inspect.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;
using Logits = std::vector<float>;

class PackCache : public testing::Test {
 protected:
  PackCache() {
    TinyModel tiny;
    tiny.matrices = format::TensorType::kQ4_0;
    tiny.embedding = format::TensorType::kQ4_0;
    gguf_bytes_ = tiny.build();
    gguf_ = folder_.write("model.gguf", gguf_bytes_);
    tiny.seed = 2;
    other_bytes_ = tiny.build();
    cache_ = folder_.path("cache/lfm");
  }

  EngineOptions options(const std::string& cache = "", Load load = Load::kAuto) const {
    EngineOptions options;
    options.threads = 2;
    options.load = load;
    options.pack_cache = cache;
    options.pack_cache_min_bytes = 0;
    return options;
  }

  struct Run {
    Logits logits;
    std::string notes;
  };

  static Result<Run> run(const std::string& path, const EngineOptions& options) {
    auto engine = Engine::open(path, options);
    if (!engine.ok()) return std::move(engine).error();
    auto session = engine->new_session({.context_tokens = 64});
    if (!session.ok()) return std::move(session).error();
    const std::vector<TokenId> tokens = {20, 30, 40, 50, 60};
    if (auto status = session->append(tokens); !status.ok()) return std::move(status).error();
    Run run{{session->logits().begin(), session->logits().end()}, {}};
    for (const std::string& note : engine->info().notes) run.notes += note + "\n";
    if (auto status = engine->finish_pack_cache(); !status.ok()) return std::move(status).error();
    return run;
  }

  // Runs with the cache on: the logits must be those of the model without one, and the notes say `says`.
  void expect_run(const std::string& says) {
    const auto with = run(gguf_, options(cache_));
    const auto without = run(gguf_, options());
    ASSERT_TRUE(with.ok()) << with.error().describe();
    ASSERT_TRUE(without.ok()) << without.error().describe();
    EXPECT_EQ(with->logits, without->logits);
    EXPECT_NE(with->notes.find(says), std::string::npos) << with->notes;
  }

  std::string cached() const {
    const auto files = folder_.files("cache/lfm");
    return files.size() == 1 ? folder_.path("cache/lfm/" + files[0]) : "";
  }

  std::string packed(DenseBackend dense = DenseBackend::kAuto) const {
    const std::string path = folder_.path("model.lfm");
    PackOptions pack_options;
    pack_options.dense = dense;
    pack_options.overwrite = true;
    expect_ok(pack(gguf_, path, pack_options));
    return path;
  }

  TempFolder folder_;
  std::string gguf_bytes_;
  std::string other_bytes_;
  std::string gguf_;
  std::string cache_;
};

constexpr const char* kWrites = "are being kept";
constexpr const char* kUses = "packed before are used";
constexpr const char* kWithout = "aren't kept";

TEST_F(PackCache, PackedFilesGiveTheSameLogits) {
  for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative}) {
    const std::string path = packed(dense);
    EngineOptions from_gguf = options();
    from_gguf.dense = dense;
    const auto expected = run(gguf_, from_gguf);
    ASSERT_TRUE(expected.ok()) << expected.error().describe();
    for (const Load load : {Load::kCopy, Load::kMap, Load::kMap, Load::kAuto}) {
      EngineOptions from_pack = options("", load);
      from_pack.dense = dense;
      const auto got = run(path, from_pack);
      ASSERT_TRUE(got.ok()) << got.error().describe();
      EXPECT_EQ(got->logits, expected->logits);
    }
    expect_ok(verify_pack(path));
  }
}

// A file of the user's is checked in full as often as he may write to it, and stays as he has it; one of the cache is
// made read-only, and then checked by samples.
TEST_F(PackCache, PermissionsAreTheUsers) {
  const std::string path = packed();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0444));
  for (const fs::perms mode : {fs::perms(0644), fs::perms(0600), fs::perms(0444)}) {
    fs::permissions(path, mode);
    for (const Load load : {Load::kAuto, Load::kMap, Load::kCopy}) {
      ASSERT_TRUE(run(path, options("", load)).ok());
      EXPECT_EQ(fs::status(path).permissions(), mode);
    }
  }
  expect_run(kWrites);
  expect_run(kUses);
  EXPECT_EQ(fs::status(cached()).permissions(), fs::perms(0400));
}

TEST_F(PackCache, VerifyFindsWhatOpenRefuses) {
  const std::string path = packed(DenseBackend::kNative);
  std::string bytes = read_all(path);
  const auto mend = [&] {
    std::memset(bytes.data() + offsetof(format::PackHeader, header_sum), 0, 8);
    const std::uint64_t sum = base::checksum(as_bytes(bytes).first(format::PackHeader::kBytes));
    std::memcpy(bytes.data() + offsetof(format::PackHeader, header_sum), &sum, 8);
  };
  for (const std::size_t field : {std::size_t{0}, std::size_t{4}, std::size_t{8}}) {  // tiles, plan, nr of XNNPACK
    const std::size_t at = offsetof(format::PackHeader, layout) + field;
    bytes[at] = static_cast<char>(bytes[at] + 1);
    mend();
    folder_.write("other.lfm", bytes);
    EXPECT_FALSE(run(folder_.path("other.lfm"), options()).ok()) << field;
    EXPECT_FALSE(verify_pack(folder_.path("other.lfm")).ok()) << field;
    bytes[at] = static_cast<char>(bytes[at] - 1);
    mend();
  }
  expect_ok(verify_pack(folder_.write("same.lfm", bytes)));
  bytes[3 * 4096 - 1] = 1;
  expect_error(verify_pack(folder_.write("padded.lfm", bytes)), ErrorCode::kFormat, "damaged");
}

TEST_F(PackCache, PackedFilesHaveTheModelsMetadata) {
  const std::string path = packed();
  const auto from_gguf = inspect(gguf_);
  const auto from_pack = inspect(path);
  ASSERT_TRUE(from_gguf.ok() && from_pack.ok());
  EXPECT_TRUE(from_pack->info.packed);
  EXPECT_EQ(from_pack->info.parameters, from_gguf->info.parameters);
  EXPECT_EQ(from_pack->tensors.size(), from_gguf->tensors.size());
  const auto tokenizer = Tokenizer::open(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  EXPECT_EQ(tokenizer->size(), from_gguf->info.vocabulary);
}

TEST_F(PackCache, PackRefusesWhatItWouldSpoil) {
  const std::string path = packed();
  expect_error(pack(gguf_, path, {}), ErrorCode::kArgument, "is there already");
  expect_error(pack(gguf_, gguf_, {.overwrite = true}), ErrorCode::kArgument, "is the model itself");
  expect_error(pack(gguf_, folder_.path("."), {.overwrite = true}), ErrorCode::kArgument, "regular file");
  expect_error(pack(path, folder_.path("again"), {}), ErrorCode::kArgument, "packed already");
  expect_error(pack(gguf_, folder_.path("missing/out.lfm"), {}), ErrorCode::kIo, "No such file");
  expect_error(verify_pack(gguf_), ErrorCode::kArgument, "isn't a packed");
  EXPECT_EQ(read_all(gguf_), gguf_bytes_);
}

TEST_F(PackCache, APackForTheOtherBackendSaysSo) {
  EngineOptions native = options();
  native.dense = DenseBackend::kNative;
  const auto xnn = run(packed(DenseBackend::kXnnpack), native);
  if (xnn.ok()) GTEST_SKIP() << "XNNPACK doesn't run here";
  expect_error(xnn, ErrorCode::kArgument, "packed for xnnpack");
  EngineOptions xnnpack = options();
  xnnpack.dense = DenseBackend::kXnnpack;
  const auto own = run(packed(DenseBackend::kNative), xnnpack);
  ASSERT_TRUE(own.ok());
  EXPECT_NE(own->notes.find("the file was packed for them"), std::string::npos);
  // Who leaves the choice to the library takes what the file has.
  for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative}) {
    const auto any = run(packed(dense), options());
    ASSERT_TRUE(any.ok()) << any.error().describe();
    EXPECT_EQ(any->notes, "");
  }
}

TEST_F(PackCache, DamagedPacksAreErrors) {
  const std::string path = packed();
  const std::string bytes = read_all(path);
  for (std::size_t size = 0; size < bytes.size(); size += 4096) {
    folder_.write("cut.lfm", bytes.substr(0, size));
    EXPECT_FALSE(run(folder_.path("cut.lfm"), options()).ok()) << size;
  }
  for (std::size_t at = 13; at < bytes.size(); at += 4099) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 16);
    folder_.write("changed.lfm", changed);
    const auto got = run(folder_.path("changed.lfm"), options());
    if (got.ok()) {
      EXPECT_EQ(got->logits, run(gguf_, options())->logits) << "between two parts, at " << at;
    } else {
      EXPECT_EQ(got.error().code, ErrorCode::kFormat) << got.error().describe();
    }
  }
}

TEST_F(PackCache, TheSecondStartUsesWhatTheFirstWrote) {
  expect_run(kWrites);
  EXPECT_EQ(folder_.files("cache/lfm").size(), 1u);
  expect_run(kUses);
  expect_run(kUses);
}

TEST_F(PackCache, OthersFilesInItsFolderStay) {
  fs::create_directories(cache_);
  const std::vector<std::string> others = {".film.part", ".film.lfm.part", ".a-0123456789abcde.lfm.part",
                                           ".a-0123456789ABCDEF.lfm.part", ".part"};
  for (const std::string& name : others) folder_.write("cache/lfm/" + name, "precious");
  const std::string ours = folder_.write("cache/lfm/.model-0123456789abcdef.lfm.part", "left by a killed writer");
  expect_run(kWrites);
  for (const std::string& name : others) EXPECT_EQ(read_all(folder_.path("cache/lfm/" + name)), "precious") << name;
  EXPECT_FALSE(fs::exists(ours));
}

// A file whose model is gone goes when the next one is written; renamed is gone.
TEST_F(PackCache, ForgetsWhatHasNoModel) {
  for (int i = 0; i < 4; ++i) {
    const std::string model = folder_.write("model-" + std::to_string(i) + ".gguf", gguf_bytes_);
    const auto got = run(model, options(cache_));
    ASSERT_TRUE(got.ok()) << got.error().describe();
    EXPECT_EQ(got->notes.find("1 file (0.00 GiB) went") != std::string::npos, i > 0) << got->notes;
    EXPECT_EQ(folder_.files("cache/lfm").size(), 1u);
    fs::rename(model, folder_.path("renamed.gguf"));
  }
  fs::create_directories(folder_.path("models"));
  const std::string inside = folder_.write("models/model.gguf", gguf_bytes_);
  ASSERT_TRUE(run(inside, options(cache_)).ok());
  fs::remove_all(folder_.path("models"));
  expect_run(kWrites);
  EXPECT_EQ(folder_.files("cache/lfm").size(), 1u);
}

TEST_F(PackCache, KeepsWhatHasAModel) {
  const std::string other = folder_.write("other.gguf", other_bytes_);
  expect_run(kWrites);
  ASSERT_TRUE(run(other, options(cache_)).ok());
  EXPECT_EQ(folder_.files("cache/lfm").size(), 2u);
  expect_run(kUses);
}

TEST_F(PackCache, ListsWhatItKeeps) {
  EXPECT_EQ(list_pack_cache(cache_)->size(), 0u);  // there is no such folder
  const std::string gone = folder_.write("a-gone.gguf", other_bytes_);
  ASSERT_TRUE(run(gone, options(cache_)).ok());
  expect_run(kWrites);
  folder_.write("cache/lfm/film-0123456789abcdef.lfm", "precious");
  const std::string source = fs::canonical(gone);
  fs::remove(gone);
  const auto packs = list_pack_cache(cache_);
  ASSERT_TRUE(packs.ok()) << packs.error().describe();
  ASSERT_EQ(packs->size(), 2u);
  EXPECT_EQ(packs->at(0).source, source);
  EXPECT_TRUE(packs->at(0).orphaned);
  EXPECT_EQ(packs->at(1).source, fs::canonical(gguf_));
  EXPECT_FALSE(packs->at(1).orphaned);
  EXPECT_EQ(packs->at(1).bytes, fs::file_size(packs->at(1).path));
  EXPECT_EQ(list_pack_cache(gguf_).error().code, ErrorCode::kIo);  // no folder
}

// The oldest first, and never what isn't the cache's own.
TEST_F(PackCache, IsBounded) {
  fs::create_directories(cache_);
  const std::string stranger = folder_.write("cache/lfm/film-0123456789abcdef.lfm", std::string(1 << 20, 'x'));
  EngineOptions bounded = options(cache_);
  std::vector<std::string> models;
  for (int i = 0; i < 4; ++i) {
    models.push_back(folder_.write("model-" + std::to_string(i) + ".gguf", gguf_bytes_));
    const auto got = run(models.back(), bounded);
    ASSERT_TRUE(got.ok()) << got.error().describe();
    std::uint64_t most = 0;
    for (const auto& entry : fs::directory_iterator(cache_)) {
      if (entry.path() == stranger) continue;
      most += entry.file_size();
      // As if it had been used so long ago.
      const std::string name = entry.path().filename().string();
      const auto age = std::chrono::hours(100 * (10 - (name.starts_with("model-0") ? 9 : name[6] - '0')));
      const timespec used{
          std::chrono::duration_cast<std::chrono::seconds>((std::chrono::system_clock::now() - age).time_since_epoch())
              .count(),
          0};
      const timespec times[2] = {used, used};
      ASSERT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), times, 0), 0);
    }
    if (i == 1) bounded.pack_cache_max_bytes = most;
  }
  // Two fit: of 0 (used last), 1, 2 the file of 1 went for 2, and then 2 for 3.
  std::vector<std::string> left = folder_.files("cache/lfm");
  std::sort(left.begin(), left.end());
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[0], "film-0123456789abcdef.lfm");
  EXPECT_TRUE(left[1].starts_with("model-0")) << left[1];
  EXPECT_TRUE(left[2].starts_with("model-3")) << left[2];
  // One that is larger than all that may be kept is kept alone.
  bounded.pack_cache_max_bytes = 1;
  ASSERT_TRUE(run(models[1], bounded).ok());
  EXPECT_EQ(folder_.files("cache/lfm").size(), 2u);
  EXPECT_NE(run(models[1], bounded)->notes.find(kUses), std::string::npos);
}

TEST_F(PackCache, SmallModelsArentKept) {
  EngineOptions small = options(cache_);
  small.pack_cache_min_bytes = EngineOptions{}.pack_cache_min_bytes;
  EXPECT_EQ(run(gguf_, small)->notes, "");
  EXPECT_FALSE(fs::exists(cache_));
}

TEST_F(PackCache, ADamagedCacheIsWrittenAnew) {
  expect_run(kWrites);
  const std::string path = cached();
  const std::string bytes = read_all(path);
  for (std::size_t size = 0; size < bytes.size(); size += 16384) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes.substr(0, size);
    ::chmod(path.c_str(), 0600);
    expect_run(kWrites);
  }
  for (std::size_t at = 5; at < bytes.size(); at += 16411) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(~changed[at]);
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << changed;
    ::chmod(path.c_str(), 0600);
    expect_run("packed");
  }
}

// F04: other bytes, but the same size, modification time and inode.
TEST_F(PackCache, AModelReplacedInPlaceIsSeen) {
  expect_run(kWrites);
  ASSERT_EQ(gguf_bytes_.size(), other_bytes_.size());
  const fs::file_time_type time = fs::last_write_time(gguf_);
  std::fstream(gguf_, std::ios::binary | std::ios::in | std::ios::out) << other_bytes_;
  fs::last_write_time(gguf_, time);
  expect_run(kWrites);
  expect_run(kUses);
  EXPECT_EQ(folder_.files("cache/lfm").size(), 1u);
}

// F05: not used; and a folder's own file is never written through a link.
TEST_F(PackCache, OnlyFilesOfOursAreUsed) {
  expect_run(kWrites);
  const std::string path = cached();
  ::chmod(path.c_str(), 0666);
  expect_run(kWrites);
  fs::rename(path, folder_.path("elsewhere"));
  fs::create_symlink(folder_.path("elsewhere"), path);
  expect_run(kWrites);
  EXPECT_FALSE(fs::is_symlink(path));
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_run(kWrites);
  expect_run(kUses);
}

// F06
TEST_F(PackCache, WorksWithoutAFolder) {
  cache_ = folder_.write("file", "in the way");
  expect_run(kWithout);
  cache_ = folder_.path("file/below");
  expect_run(kWithout);
  cache_ = "/proc/lfm";
  expect_run(kWithout);
  EXPECT_EQ(read_all(folder_.path("file")), "in the way");
  cache_ = folder_.path("cache/lfm");
  fs::create_directories(folder_.path("cache/lfm"));
  if (::geteuid() == 0) return;  // who may write everywhere
  ::chmod(cache_.c_str(), 0500);
  expect_run(kWithout);
  ::chmod(cache_.c_str(), 0700);
}

// F09: processes that start at once. Each must give the right logits; one file results.
TEST_F(PackCache, EightProcessesAtOnce) {
  const auto expected = run(gguf_, options());
  ASSERT_TRUE(expected.ok());
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto got = run(gguf_, options(cache_));
      ::_exit(got.ok() && got->logits == expected->logits ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(folder_.files("cache/lfm").size(), 1u);
  expect_run(kUses);
}

}  // namespace
}  // namespace lfm::test
