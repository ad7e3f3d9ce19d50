// The operating system refuses, one call after another (O01, O02, O03, O12, F08): a status each time, nothing left
// behind, and the next try works.
#include "support/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>

#include "base/atomic_file.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

std::size_t open_files() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

struct Fault {
  unsigned calls;
  std::uint64_t at;
  int error;
  bool forever;
};

class FaultsTest : public testing::Test {
 protected:
  FaultsTest() {
    TinyModel tiny;
    tiny.matrices = format::TensorType::kQ4_0;
    tiny.context_length = 64;
    model_ = folder_.write("model.gguf", tiny.build());
    options_.threads = 1;
    options_.dense = DenseBackend::kXnnpack;  // which allocates too
    options_.chunk_tokens = 16;
    keeping_ = copying_ = options_;
    keeping_.pack_cache = folder_.path("cache");
    keeping_.pack_cache_min_bytes = 0;
    copying_.load = Load::kCopy;
  }

  // Opens a model, reads a prompt, decodes, saves, and goes on from what was saved. Allocates nothing itself, for that
  // may fail.
  Status use(const std::string& path, const EngineOptions& options) const {
    auto engine = Engine::open(path, options);
    if (!engine.ok()) return std::move(engine).error();
    auto session = engine->new_session();
    if (!session.ok()) return std::move(session).error();
    auto prompt = engine->tokenizer().encode("abc");
    if (!prompt.ok()) return std::move(prompt).error();
    if (auto synced = session->sync(*prompt); !synced.ok()) return std::move(synced).error();
    std::size_t rows = 0;
    if (auto status = session->append(*prompt, [&](std::span<const float>) { ++rows; }); !status.ok()) return status;
    EXPECT_EQ(rows, prompt->size());
    auto finish = session->generate({.max_tokens = 4, .ignore_end = true}, [](const Piece&) { return true; });
    if (!finish.ok()) return std::move(finish).error();
    if (auto status = session->save(saved_); !status.ok()) return status;
    if (auto status = session->load(saved_); !status.ok()) return status;
    if (auto fork = session->fork(); !fork.ok()) return std::move(fork).error();
    return engine->finish_pack_cache();
  }

  // With a cache of packed weights, from nothing.
  Status use_cache() {
    if (auto status = use(model_, keeping_); !status.ok()) return status;
    return use(model_, keeping_);
  }

  // Packs, and opens what was written in both ways.
  Status use_pack() {
    if (auto done = pack(model_, packed_, {.dense = DenseBackend::kXnnpack, .threads = 1}); !done.ok())
      return std::move(done).error();
    if (auto described = inspect(packed_); !described.ok()) return std::move(described).error();
    if (auto status = use(packed_, options_); !status.ok()) return status;
    if (auto status = use(packed_, copying_); !status.ok()) return status;
    auto verified = verify_pack(packed_, {.threads = 1});
    return verified.ok() ? Status() : Status(std::move(verified).error());
  }

  // Keeps a pool's conversations twice, so that files are moved, and takes them in again.
  Status use_folder(const SessionPool& pool) const {
    for (int i = 0; i < 2; ++i) {
      if (auto status = pool.save(talks_); !status.ok()) return status;
    }
    auto loaded = pool.load(talks_);
    return loaded.ok() ? Status() : Status(std::move(loaded).error());
  }

  void clean() {
    fs::remove_all(folder_.path("cache"));
    fs::remove_all(talks_);
    fs::remove(packed_);
    fs::remove(saved_);
  }

  // Whatever is there under its final name is whole. Of others there may be an empty one, where the system refused to
  // tell about it as soon as it was there; the next writer takes it over, and it is removed here.
  void expect_nothing_half_done() {
    for (const std::string name : {".", "cache"}) {
      if (!fs::exists(folder_.path(name))) continue;
      for (const std::string& file : folder_.files(name)) {
        const std::string path = folder_.path(name + "/" + file);
        EXPECT_TRUE(!file.ends_with(".part") || fs::file_size(path) == 0) << file;
        if (file.ends_with(".lfm")) expect_ok(verify_pack(path, {.threads = 1}));
      }
      base::AtomicFile::remove_leftovers(folder_.path(name), [](std::string_view) { return true; });
      for (const std::string& file : folder_.files(name)) EXPECT_FALSE(file.ends_with(".part")) << file << " is locked";
    }
  }

  // One run with one fault, and what it may come to.
  void expect_status(const Fault& fault, const std::function<Status()>& run) {
    const std::size_t files = open_files();
    Status status;
    std::string what;
    {
      const Faults faults(fault.calls, fault.at, fault.error, fault.forever);
      status = run();
      what = faults.last_failed();
    }
    SCOPED_TRACE(testing::Message() << what << ", call " << fault.at << ", error " << fault.error
                                    << (fault.forever ? " for ever" : ""));
    if (fault.error == Faults::kShort) expect_ok(status);
    if (!status.ok()) {
      EXPECT_TRUE(status.error().code == ErrorCode::kIo || status.error().code == ErrorCode::kNoMemory)
          << status.error().describe();
      EXPECT_FALSE(status.error().describe().empty());
    }
    EXPECT_EQ(open_files(), files);
    expect_nothing_half_done();
    clean();
  }

  // Every one of these calls fails once with each error, and from then on; gives the number of points.
  std::uint64_t expect_survives(unsigned calls, std::initializer_list<int> errors, const std::function<Status()>& run) {
    expect_ok(run());  // what is made once in a process is there now
    clean();
    std::uint64_t count = 0;
    {
      const Faults faults(calls);
      expect_ok(run());
      count = faults.calls();
    }
    clean();
    for (const int error : errors) {
      for (const bool forever : {false, true}) {
        if (forever && error == EINTR) continue;  // which is tried again for ever
        for (std::uint64_t i = 0; i < count && !HasFailure(); ++i) expect_status({calls, i, error, forever}, run);
      }
    }
    expect_ok(run());
    clean();
    std::printf("%llu points\n", static_cast<unsigned long long>(count));
    return count;
  }

  TempFolder folder_;
  std::string model_;
  const std::string packed_ = folder_.path("model.lfm"), saved_ = folder_.path("saved"), talks_ = folder_.path("talks");
  EngineOptions options_, keeping_, copying_;
};

constexpr auto kFileErrors = {EINTR, EIO, ENOSPC, ENOMEM, EACCES, Faults::kShort};

TEST_F(FaultsTest, FilesOfAModel) {
  EXPECT_GT(expect_survives(Faults::kFiles, kFileErrors, [&] { return use(model_, options_); }), 5u);
}

TEST_F(FaultsTest, FilesOfTheCache) {
  EXPECT_GT(expect_survives(Faults::kFiles, kFileErrors, [&] { return use_cache(); }), 20u);
}

TEST_F(FaultsTest, FilesOfAPack) {
  EXPECT_GT(expect_survives(Faults::kFiles, kFileErrors, [&] { return use_pack(); }), 20u);
}

TEST_F(FaultsTest, Maps) {
  EXPECT_GT(expect_survives(Faults::kMaps, {ENOMEM, EACCES}, [&] { return use_pack(); }), 8u);
}

TEST_F(FaultsTest, Heap) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer has a heap of its own; steady_test fails operator new there";
#endif
  EXPECT_GT(expect_survives(Faults::kHeap, {ENOMEM}, [&] { return use(model_, options_); }), 100u);
}

TEST_F(FaultsTest, HeapOfAPack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer has a heap of its own; steady_test fails operator new there";
#endif
  EXPECT_GT(expect_survives(Faults::kHeap, {ENOMEM}, [&] { return use_pack(); }), 100u);
}

TEST_F(FaultsTest, HeapOfTheCache) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer has a heap of its own; steady_test fails operator new there";
#endif
  const auto use_and_list = [&]() -> Status {
    if (auto status = use(model_, keeping_); !status.ok()) return status;
    auto listed = list_pack_cache(keeping_.pack_cache);
    if (!listed.ok()) return std::move(listed).error();
    return use(model_, keeping_);
  };
  keeping_.pack_cache_max_bytes = 1;  // others have to go
  EXPECT_GT(expect_survives(Faults::kHeap, {ENOMEM}, use_and_list), 100u);
}

TEST_F(FaultsTest, AFolderOfConversations) {
  auto engine = Engine::open(model_, options_);
  ASSERT_TRUE(engine.ok());
  auto pool = SessionPool::create(*engine);
  ASSERT_TRUE(pool.ok());
  for (const TokenId first : {3, 4}) {
    auto session = engine->new_session();
    ASSERT_TRUE(session.ok());
    expect_ok(session->append({&first, 1}));
    expect_ok(pool->keep(*session));
  }
  EXPECT_GT(expect_survives(Faults::kFiles, kFileErrors, [&] { return use_folder(*pool); }), 10u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_GT(expect_survives(Faults::kHeap, {ENOMEM}, [&] { return use_folder(*pool); }), 10u);
#endif
}

TEST_F(FaultsTest, Threads) {
  options_.threads = 4;
  EXPECT_EQ(expect_survives(Faults::kThreads, {EAGAIN}, [&] { return use(model_, options_); }), 3u);
}

}  // namespace
}  // namespace lfm::test
