// F07: writers of the pack cache that are killed at any moment.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

constexpr int kKills = 200;

// After each kill there is no file of the final name, or a whole one.
TEST(PackKill, NeverLeavesHalfAFile) {
  TempFolder folder;
  TinyModel tiny;
  tiny.hidden = 256;
  tiny.vocab = 8192;
  const std::string model = folder.write("model.gguf", tiny.build());
  const std::string cache = folder.path("cache");
  EngineOptions options;
  options.threads = 1;
  options.pack_cache = cache;
  options.pack_cache_min_bytes = 0;
  std::chrono::duration<double> once = std::chrono::hours(1);  // that a file takes
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    expect_ok(Engine::open(model, options));
    once = std::min<std::chrono::duration<double>>(once, std::chrono::steady_clock::now() - start);
    std::filesystem::remove_all(cache);
  }

  std::mt19937 random(1);
  int whole = 0;
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        {
          const auto engine = Engine::open(model, options);
          if (!engine.ok()) ::_exit(1);
        }
        std::this_thread::sleep_for(once / 4);  // so that some kills find a whole file
        std::error_code code;
        for (const auto& entry : std::filesystem::directory_iterator(cache, code)) {
          if (entry.path().extension() == ".lfm") std::filesystem::remove(entry.path(), code);
        }
      }
    }
    std::this_thread::sleep_for(once * 3.0 * std::generate_canonical<double, 32>(random));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    if (!std::filesystem::exists(cache)) continue;
    int parts = 0;
    for (const std::string& name : folder.files("cache")) {
      if (name.ends_with(".part")) {
        ++parts;
      } else {
        expect_ok(verify_pack(folder.path("cache/" + name)));
        ++whole;
      }
    }
    EXPECT_LE(parts, 1);
  }
  EXPECT_GT(whole, 0);
  // The next start writes over what was left.
  const auto engine = Engine::open(model, options);
  ASSERT_TRUE(engine.ok()) << engine.error().describe();
  expect_ok(engine->finish_pack_cache());
  EXPECT_EQ(folder.files("cache").size(), 1u);
}

}  // namespace
}  // namespace lfm::test
