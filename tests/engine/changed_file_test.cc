// Model files that change under the library, at every moment of loading and while text is generated (F10, O04 to O06):
// no effect, or an error, never a signal and never other numbers. Each case runs in a process of its own, in which the
// system calls that read files do something to the file first.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/file_lease.h"
#include "engine/tiny_engine.h"
#include "support/child.h"
#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

std::atomic<int> calls = -1;  // still to come before `change`; below 0: none
std::atomic<bool> reads_fail = false;
std::function<void()> change;

// Before every system call that the library reads a file by.
void before_call() {
  if (calls < 0 || calls-- != 0) return;
  change();
}

}  // namespace
}  // namespace lfm::test

extern "C" {
ssize_t __real_pread(int file, void* out, size_t bytes, off_t offset);
ssize_t __wrap_pread(int file, void* out, size_t bytes, off_t offset) {
  lfm::test::before_call();
  if (!lfm::test::reads_fail) return __real_pread(file, out, bytes, offset);
  errno = EIO;
  return -1;
}
void* __real_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  if (file >= 0) lfm::test::before_call();
  return __real_mmap(at, bytes, protection, flags, file, offset);
}
int __real_madvise(void* at, size_t bytes, int advice);
int __wrap_madvise(void* at, size_t bytes, int advice) {
  if (advice == MADV_POPULATE_READ) lfm::test::before_call();
  return __real_madvise(at, bytes, advice);
}
}

namespace lfm::test {
namespace {

namespace fs = std::filesystem;
using Logits = std::vector<float>;

enum class Change { kCut, kHalve, kGrow, kOverwrite, kOverwriteSecretly, kRewrite, kReplace, kDelete };
constexpr Change kChanges[] = {
    Change::kCut,     Change::kHalve,   Change::kGrow,  Change::kOverwrite, Change::kOverwriteSecretly,
    Change::kRewrite, Change::kReplace, Change::kDelete};

// Those that leave the file itself as it is.
bool harmless(Change what) {
  return what == Change::kReplace || what == Change::kDelete;
}

void write_over(const std::string& path, const std::string& bytes, int flags) {
  const int file = ::open(path.c_str(), O_WRONLY | flags);
  if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  ::close(file);
}

void apply(Change what, const std::string& path, const std::string& other) {
  (void)::chmod(path.c_str(), 0600);
  const auto size = static_cast<off_t>(fs::file_size(path));
  switch (what) {
    case Change::kCut:
      return (void)::truncate(path.c_str(), 0);
    case Change::kHalve:
      return (void)::truncate(path.c_str(), size / 2);
    case Change::kGrow:
      return (void)::truncate(path.c_str(), size + 4096);
    case Change::kOverwrite:
      return write_over(path, other, 0);
    case Change::kOverwriteSecretly: {
      const fs::file_time_type time = fs::last_write_time(path);
      write_over(path, other, 0);
      return fs::last_write_time(path, time);
    }
    case Change::kRewrite:
      return write_over(path, other, O_TRUNC);
    case Change::kReplace:
      write_over(path + ".new", other, O_CREAT);
      return fs::rename(path + ".new", path);
    case Change::kDelete:
      fs::remove(path);
  }
}

struct Kind {
  const char* name;
  bool packed;
  Load load;
};
constexpr Kind kKinds[] = {{"gguf", false, Load::kAuto},
                           {"copied", true, Load::kCopy},
                           {"mapped", true, Load::kMap},
                           {"auto", true, Load::kAuto}};

class ChangedFile : public testing::TestWithParam<Kind> {
 protected:
  ChangedFile() {
    TinyModel tiny;
    tiny.matrices = tiny.embedding = format::TensorType::kQ4_0;
    tiny.vocab = 1024;
    bytes_ = make(tiny);
    tiny.seed = 2;
    other_ = make(tiny);
    expected_ = run(write()).logits;
    others_ = run(folder_.write("other", other_)).logits;
  }

  // Without leases kMap trusts whoever can write to the file, and kAuto maps nothing.
  void SetUp() override {
    const auto file = base::File::open_read(write());
    const bool leases = file.ok() && base::FileLease::take(*file, [] {}).ok();
    if (!leases && GetParam().load == Load::kMap) GTEST_SKIP() << "this file system has no leases";
    maps_ = leases && GetParam().packed && GetParam().load != Load::kCopy;
  }

  std::string make(const TinyModel& tiny) const {
    const std::string gguf = folder_.write("made.gguf", tiny.build());
    if (!GetParam().packed) return read_all(gguf);
    expect_ok(pack(gguf, folder_.path("made.lfm"), {.threads = 1, .overwrite = true}));
    return read_all(folder_.path("made.lfm"));
  }

  std::string write() const {
    const std::string path = folder_.write("model", bytes_);
    ::chmod(path.c_str(), 0600);
    return path;
  }

  // What the model says; its own error otherwise.
  struct Run {
    Logits logits;
    std::optional<Error> error;
  };
  static Result<Engine> open(const std::string& path) {
    return Engine::open(path, {.threads = 1, .load = GetParam().load});
  }
  static Run run(const std::string& path) {
    auto engine = open(path);
    if (!engine.ok()) return {{}, engine.error()};
    Session session = TinyEngine::new_session(*engine, 256);
    return append(session);
  }
  static Run append(Session& session) {
    const auto ids = random_tokens(2, 1);
    if (auto status = session.append(ids); !status.ok()) return {{}, status.error()};
    return {logits_of(session), {}};
  }

  // Whether a run that met the change came out well. It may have read the new file alone.
  bool acceptable(Change what, const Run& got) const {
    if (harmless(what)) return !got.error && (got.logits == expected_ || got.logits == others_);
    return got.error ? got.error->code == ErrorCode::kIo || got.error->code == ErrorCode::kFormat
                     : got.logits == expected_ || got.logits == others_;
  }

  TempFolder folder_;
  std::string bytes_, other_;
  Logits expected_, others_;
  bool maps_ = false;
};

TEST_P(ChangedFile, BeforeEachCallOfLoading) {
  ASSERT_FALSE(expected_.empty() || expected_ == others_);
  for (const Change what : kChanges) {
    const std::string about = GetParam().name + (" " + std::to_string(static_cast<int>(what)));
    expect_clean_child(about, [&] {
      for (int call = 0;; ++call) {
        const std::string path = write();
        ::usleep(5000);  // older systems count time in steps of 4 ms
        change = [&] { apply(what, path, other_); };
        calls = call;
        const Run got = run(path);
        const bool reached = calls < 0;
        calls = -1;
        if (!reached) return call >= 5;
        if (acceptable(what, got)) continue;
        std::printf("%s, call %d: %s\n", about.c_str(), call,
                    got.error ? got.error->describe().c_str() : "other logits");
        return false;
      }
    });
  }
}

TEST_P(ChangedFile, BetweenLoadingAndGenerating) {
  for (const Change what : kChanges) {
    expect_clean_child(std::to_string(static_cast<int>(what)), [&] {
      const std::string path = write();
      auto engine = open(path);
      if (!engine.ok()) return false;
      Session session = TinyEngine::new_session(*engine, 256);
      apply(what, path, other_);
      return append(session).logits == expected_;
    });
  }
}

// Another process changes the file while this one generates; and opening it again tells what is there now.
TEST_P(ChangedFile, WhileGenerating) {
  for (const Change what : kChanges) {
    expect_clean_child(std::to_string(static_cast<int>(what)), [&] {
      const std::string path = write();
      auto engine = open(path);
      if (!engine.ok()) return false;
      Session session = TinyEngine::new_session(*engine);
      const pid_t other = ::fork();
      if (other == 0) {
        ::usleep(3000);
        apply(what, path, other_);
        ::_exit(0);
      }
      for (int i = 0;; ++i) {
        if (!session.sync({}).ok() || append(session).logits != expected_) return false;
        int status = 0;
        if (::waitpid(other, &status, WNOHANG) == other) return status == 0;
      }
    });
  }
}

// What can't be saved from a change is an error, at once and from then on.
TEST_P(ChangedFile, WhatIsLostIsSaid) {
  if (!maps_) GTEST_SKIP() << "nothing is read after loading";
  expect_clean_child("lost", [&] {
    const std::string path = write();
    auto engine = open(path);
    if (!engine.ok()) return false;
    Session session = TinyEngine::new_session(*engine, 256);
    if (append(session).logits != expected_) return false;
    reads_fail = true;
    apply(Change::kCut, path, other_);
    for (int i = 0; i < 3; ++i) {
      const Run got = append(session);
      if (!got.error || got.error->code != ErrorCode::kIo || !session.tokens().empty()) return false;
    }
    Session another = TinyEngine::new_session(*engine, 256);
    return append(another).error.has_value();
  });
}

INSTANTIATE_TEST_SUITE_P(Kinds, ChangedFile, testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace lfm::test
