// How far Engine::open() is told, and its end where the caller gives up: at any point, with an error that says so, and
// with nothing left behind.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/work.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

// Some megabytes, so that there are many pieces of work.
std::string model() {
  TinyModel tiny;
  tiny.hidden = 256;
  tiny.experts = 32;
  tiny.expert_width = 128;
  tiny.matrices = format::TensorType::kQ8_0;
  return tiny.build();
}

class OpenProgressTest : public testing::TestWithParam<unsigned> {
 protected:
  EngineOptions options(std::string cache = "") {
    EngineOptions options;
    options.threads = GetParam();
    options.pack_cache = std::move(cache);
    options.pack_cache_min_bytes = 0;
    options.progress = [this](const OpenProgress& progress) {
      EXPECT_EQ(std::this_thread::get_id(), here_);
      EXPECT_LE(progress.done, progress.all);
      if (seen_.empty() || seen_.back().phase != progress.phase) seen_.push_back(progress);
      EXPECT_GE(progress.done, seen_.back().done);
      EXPECT_EQ(progress.all, seen_.back().all);
      seen_.back() = progress;
      return ++calls_ != give_up_at_;
    };
    return options;
  }

  // The phases in order, each of which came to its end.
  std::vector<OpenPhase> phases() {
    std::vector<OpenPhase> out;
    for (const OpenProgress& last : seen_) {
      EXPECT_EQ(last.done, last.all);
      EXPECT_GT(last.all, 0u);
      out.push_back(last.phase);
    }
    seen_.clear();
    return out;
  }

  std::string packed() {
    const std::string path = folder_.path("model.lfm");
    expect_ok(pack(gguf_, path, {.overwrite = true}));
    return path;
  }

  const TempFolder folder_;
  const std::string gguf_ = folder_.write("model.gguf", model());
  const std::thread::id here_ = std::this_thread::get_id();
  std::vector<OpenProgress> seen_;
  int calls_ = 0;
  int give_up_at_ = 0;
};

using Phases = std::vector<OpenPhase>;

TEST_P(OpenProgressTest, PhasesAreToldToTheirEnds) {
  expect_ok(Engine::open(gguf_, options()));
  EXPECT_EQ(phases(), Phases{OpenPhase::kPacking});
  const std::string cache = folder_.path("cache");
  expect_ok(Engine::open(gguf_, options(cache))->finish_pack_cache());
  EXPECT_EQ(phases(), Phases{OpenPhase::kPacking});
  expect_ok(Engine::open(gguf_, options(cache)));  // checked in full the first time, by samples then
  EXPECT_EQ(phases(), (Phases{OpenPhase::kReading, OpenPhase::kChecking}));
  expect_ok(Engine::open(gguf_, options(cache)));
  EXPECT_EQ(phases(), Phases{OpenPhase::kReading});
  EngineOptions copy = options();
  copy.load = Load::kCopy;
  expect_ok(Engine::open(packed(), copy));
  EXPECT_EQ(phases(), Phases{OpenPhase::kReading});
}

// At every call of the callback there is.
TEST_P(OpenProgressTest, GivenUp) {
  const std::string cache = folder_.path("cache");
  const auto from_nothing = [&] {
    const auto engine = Engine::open(gguf_, options(cache));
    EXPECT_TRUE(engine.ok() || !std::filesystem::exists(cache) || folder_.files("cache").empty());
    return engine;
  };
  const auto from_cache = [&] { return Engine::open(gguf_, options(cache)); };
  const auto from_pack = [&, path = packed()] {
    EngineOptions copy = options();
    copy.load = Load::kCopy;
    return Engine::open(path, copy);
  };
  const auto each = [&](const auto& open) {
    for (give_up_at_ = 1;; ++give_up_at_) {
      calls_ = 0;
      seen_.clear();
      const auto engine = open();
      if (engine.ok()) break;
      expect_error(engine, ErrorCode::kCancelled, "cancelled");
      EXPECT_EQ(calls_, give_up_at_) << "it is never called again";
    }
    EXPECT_GT(give_up_at_, 1);
  };
  each(from_nothing);
  each(from_cache);
  each(from_pack);
}

TEST_P(OpenProgressTest, CancelledFromElsewhere) {
  const std::string cache = folder_.path("cache");
  std::stop_source source;
  EngineOptions cancelled = options(cache);
  cancelled.cancel = source.get_token();
  cancelled.progress = [&](const OpenProgress&) {
    std::thread([&] { source.request_stop(); }).join();
    return true;
  };
  expect_error(Engine::open(gguf_, cancelled), ErrorCode::kCancelled, "cancelled");
  EXPECT_FALSE(std::filesystem::exists(cache) && !folder_.files("cache").empty());
  // Before it has begun.
  cancelled.progress = nullptr;
  expect_error(Engine::open(gguf_, cancelled), ErrorCode::kCancelled, "cancelled");
  cancelled.cancel = std::stop_source().get_token();
  expect_ok(Engine::open(gguf_, cancelled));
}

TEST_P(OpenProgressTest, CallbacksMayThrow) {
  EngineOptions throws = options();
  throws.progress = [](const OpenProgress&) -> bool { throw std::runtime_error("enough"); };
  EXPECT_THROW((void)Engine::open(gguf_, throws).ok(), std::runtime_error);
  expect_ok(Engine::open(gguf_, options()));
}

TEST_P(OpenProgressTest, OfPackAndVerify) {
  const std::string path = folder_.path("packed.lfm");
  std::uint64_t last = 0, of = 1;
  int calls = 0, limit = 0;
  const auto told = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    of = all;
    return ++calls != limit;
  };
  const auto begin = [&](int give_up_at) { last = 0, calls = 0, limit = give_up_at; };
  for (const int give_up_at : {1, 2}) {
    begin(give_up_at);
    expect_error(pack(gguf_, path, {.threads = GetParam(), .progress = told}), ErrorCode::kCancelled, "cancelled");
    EXPECT_EQ(folder_.files().size(), 1u) << "nothing but the model";
  }
  begin(0);
  const auto info = pack(gguf_, path, {.threads = GetParam(), .progress = told});
  expect_ok(info);
  EXPECT_EQ(last, of);
  EXPECT_GT(of, info->weight_bytes);
  begin(0);
  expect_ok(verify_pack(path, {.threads = GetParam(), .progress = told}));
  EXPECT_EQ(last, info->weight_bytes);
  begin(1);
  expect_error(verify_pack(path, {.threads = GetParam(), .progress = told}), ErrorCode::kCancelled, "cancelled");
}

INSTANTIATE_TEST_SUITE_P(Threads, OpenProgressTest, testing::Values(1u, 2u));

// A large piece of work ends with the pieces that run when it is given up.
TEST(Work, EndsAtOnce) {
  auto team = base::Team::create(2);
  ASSERT_TRUE(team.ok());
  std::stop_source source;
  base::Work work(1000, nullptr, source.get_token());
  std::atomic<int> done = 0;
  const Status status = work.run(*team, 1000, [&](base::Worker&, std::size_t) -> Status {
    if (++done == 10) source.request_stop();
    return {};
  });
  expect_error(status, ErrorCode::kCancelled, "cancelled");
  EXPECT_LE(done, 11);
}

}  // namespace
}  // namespace lfm::test
