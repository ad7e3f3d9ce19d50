// What the system refuses or does to the process (O08, O13, O15, O19): a status or no effect. Each case runs in a
// process of its own.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <optional>

#include "engine/tiny_engine.h"
#include "support/child.h"
#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

std::atomic<bool> hints_fail = false;
std::atomic<int> threads_left = 1000;  // that the system still starts

}  // namespace
}  // namespace lfm::test

extern "C" {
int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument);
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) {
  if (lfm::test::threads_left.fetch_sub(1) <= 0) return EAGAIN;
  return __real_pthread_create(thread, attributes, body, argument);
}
int __real_madvise(void* at, size_t bytes, int advice);
int __wrap_madvise(void* at, size_t bytes, int advice) {
  if (!lfm::test::hints_fail) return __real_madvise(at, bytes, advice);
  errno = EPERM;
  return -1;
}
int __real_posix_fadvise(int file, off_t at, off_t bytes, int advice);
int __wrap_posix_fadvise(int file, off_t at, off_t bytes, int advice) {
  return lfm::test::hints_fail ? EPERM : __real_posix_fadvise(file, at, bytes, advice);
}
}

namespace lfm::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kShadowMemory = true;  // which needs more address space than any limit
#else
constexpr bool kShadowMemory = false;
#endif

class SystemLimits : public testing::Test {
 protected:
  SystemLimits() : model_(folder_.write("model.gguf", model().build())) {
    expect_ok(pack(model_, folder_.path("model.lfm"), {.threads = 1}));
    expected_ = run(model_, {.threads = 1});
  }

  static TinyModel model() {
    TinyModel tiny;
    tiny.matrices = tiny.embedding = format::TensorType::kQ4_0;
    return tiny;
  }

  // Logits of the model; none where it isn't opened, with a status.
  static std::vector<float> run(const std::string& path, const EngineOptions& options) {
    const auto engine = Engine::open(path, options);
    if (!engine.ok()) return {};
    auto session = engine->new_session({.context_tokens = 64});
    if (!session.ok()) return {};
    const auto ids = random_tokens(3, 1);
    if (!session->append(ids).ok()) return {};
    return logits_of(*session);
  }

  // A child with less of something than there is now: its logits are right, or there was a status.
  void expect_none_or_right(const char* what, int resource, rlim_t limit) {
    expect_clean_child(what, [&] {
      const rlimit all{limit, limit};
      if (::setrlimit(resource, &all) != 0) return false;
      for (const unsigned threads : {1u, 3u}) {
        for (const std::string& path : {model_, folder_.path("model.lfm")}) {
          const auto got =
              run(path, {.threads = threads, .pack_cache = folder_.path("cache"), .pack_cache_min_bytes = 0});
          if (!got.empty() && got != expected_) return false;
        }
      }
      return true;
    });
  }

  TempFolder folder_;
  std::string model_;
  std::vector<float> expected_;
};

TEST_F(SystemLimits, AddressSpace) {
  if (kShadowMemory) GTEST_SKIP() << "the sanitizer has taken it all";
  for (const rlim_t mebibytes : {1024, 256, 64, 32, 16, 8})
    expect_none_or_right("RLIMIT_AS", RLIMIT_AS, mebibytes << 20);
}

TEST_F(SystemLimits, Files) {
  for (const rlim_t files : {3, 4, 5, 6, 7, 8}) expect_none_or_right("RLIMIT_NOFILE", RLIMIT_NOFILE, files);
}

TEST_F(SystemLimits, FileSize) {
  expect_clean_child("RLIMIT_FSIZE", [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit all{8192, 8192};
    if (::setrlimit(RLIMIT_FSIZE, &all) != 0) return false;
    const auto got = run(model_, {.threads = 1, .pack_cache = folder_.path("cache"), .pack_cache_min_bytes = 0});
    return got == expected_ && folder_.files("cache").empty();
  });
}

TEST_F(SystemLimits, Threads) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may start as many as it likes";
  expect_none_or_right("RLIMIT_NPROC", RLIMIT_NPROC, 1);
}

TEST_F(SystemLimits, Stack) {
  expect_none_or_right("RLIMIT_STACK", RLIMIT_STACK, kShadowMemory ? 1 << 20 : 64 << 10);
}

// What docs/cpp.md asks of a thread's stack.
TEST_F(SystemLimits, SmallStacks) {
  if (kShadowMemory) GTEST_SKIP() << "sanitizers need more";
  test::TinyModel deep;  // whose kernels have the largest frames
  deep.hidden = deep.ffn_width = deep.expert_width = 256;
  deep.matrices = format::TensorType::kQ6_K;
  const std::string models[] = {model_, folder_.write("deep.gguf", deep.build())};
  const auto one = [&](const std::string& model) {
    const auto engine =
        Engine::open(model, {.threads = 2, .pack_cache = folder_.path("cache"), .pack_cache_min_bytes = 0});
    if (!engine.ok()) return false;
    constexpr const char* kTools = R"([{"name": "f", "parameters": {"type": "object", "properties": {
        "a": {"anyOf": [{"type": "string", "pattern": "^[a-z]{2,5}$"}, {"type": "array", "items": {"type": "number"}}]}}}}])";
    auto session = engine->new_session();
    auto chat = Chat::create(*engine, {.tools = kTools});
    auto calls = Constraint::from_tools(kTools);
    auto messages = messages_from_json(R"([{"role": "user", "content": "Hello"}])");
    if (!session.ok() || !chat.ok() || !calls.ok() || !messages.ok()) return false;
    for (const auto& constraint : {std::optional<Constraint>(), std::optional<Constraint>(*calls)}) {
      if (!chat->answer(*session, *messages, {.max_tokens = 20, .constraint = constraint}, nullptr).ok()) return false;
    }
    return session->save(folder_.path("saved")).ok() && session->load(folder_.path("saved")).ok();
  };
  const std::function<bool()> all = [&] { return std::ranges::all_of(models, one); };
  expect_clean_child("a stack of 64 KiB", [&] {
    struct Work {
      const std::function<bool()>& body;
      bool good = false;
    } work{all};
    pthread_attr_t attributes;
    pthread_t thread;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, 64 << 10);
    const auto run = [](void* given) -> void* {
      static_cast<Work*>(given)->good = static_cast<Work*>(given)->body();
      return nullptr;
    };
    return ::pthread_create(&thread, &attributes, run, &work) == 0 && ::pthread_join(thread, nullptr) == 0 && work.good;
  });
}

TEST_F(SystemLimits, RefusedHintsDoNothing) {
  expect_clean_child("madvise", [&] {
    hints_fail = true;
    return run(model_, {.threads = 2}) == expected_ && run(folder_.path("model.lfm"), {.threads = 2}) == expected_;
  });
}

TEST_F(SystemLimits, StoppedAndContinued) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {
      if (run(model_, {.threads = 2}) != expected_) ::_exit(1);
    }
    ::_exit(0);
  }
  for (int i = 0; i < 5; ++i) {
    ::usleep(3000);
    ::kill(child, SIGSTOP);
    ::usleep(3000);
    ::kill(child, SIGCONT);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Descriptors 0 to 2 are the library's then; nothing but the file's own bytes may come to them.
TEST_F(SystemLimits, WithoutStandardStreams) {
  expect_clean_child("closed descriptors", [&] {
    for (int file = 0; file < 3; ++file) ::close(file);
    const EngineOptions options{.threads = 1, .pack_cache = folder_.path("cache"), .pack_cache_min_bytes = 0};
    return run(model_, options) == expected_ && run(model_, options) == expected_;
  });
  const auto files = folder_.files("cache");
  ASSERT_EQ(files.size(), 1u);
  expect_ok(verify_pack(folder_.path("cache/" + files[0])));
}

TEST_F(SystemLimits, FewerThreadsDo) {
  for (const int left : {0, 1, 2, 3}) {
    threads_left = left;
    const auto engine = Engine::open(model_, {.threads = 4});
    ASSERT_TRUE(engine.ok()) << engine.error().describe();
    EXPECT_EQ(engine->info().threads, static_cast<unsigned>(left) + 1);
    const bool noted = !engine->info().notes.empty();
    EXPECT_EQ(noted, left < 3);
    if (noted) {
      EXPECT_EQ(engine->info().notes[0], "the system starts " + std::to_string(left + 1) + " threads, and not 4");
    }
    threads_left = left;
    EXPECT_EQ(run(model_, {.threads = 4}), expected_);
    threads_left = left;
    EXPECT_EQ(run(folder_.path("model.lfm"), {.threads = 4}), expected_);
    threads_left = 1000;
  }
}

}  // namespace
}  // namespace lfm::test
