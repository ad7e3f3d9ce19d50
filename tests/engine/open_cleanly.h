// Opening a file that may be anything: whatever comes of it must be a clean result within a second of processor time
// and 64 MiB beside the file.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <string>

#include "engine/tiny_engine.h"
#include "source/mutation.h"
#include "support/alloc_meter.h"

namespace lfm::test {

// The smallest model with a tokenizer.
inline TinyModel smallest_that_talks() {
  TinyModel tiny = smallest_model();
  tiny.vocab = 272;
  tiny.tokenizer = true;
  return tiny;
}

// A few tokens give numbers, or an error that says why they don't.
inline void expect_usable(const Engine& engine, const std::string& what) {
  auto session = engine.new_session({.context_tokens = 16});
  if (!session.ok()) return;
  const TokenId ids[] = {20, 30, 40};
  const Status status = session->append(ids);
  if (status.ok()) return;
  EXPECT_TRUE(status.error().code == ErrorCode::kNumeric || status.error().code == ErrorCode::kLimit)
      << what << ": " << status.error().describe();
}

// Returns whether the file was accepted as a model.
inline bool opens_cleanly(const std::string& path, Load load, const std::string& what) {
  const std::clock_t start = std::clock();
  AllocMeter meter;
  auto engine = Engine::open(path, {.threads = 1, .load = load});
  EXPECT_LE(meter.peak_bytes(), std::filesystem::file_size(path) + kMaxExtraBytes) << what;
  if (engine.ok()) {
    expect_usable(*engine, what);
  } else {
    EXPECT_FALSE(engine.error().message.empty() || engine.error().field.empty()) << what;
  }
  EXPECT_LE(std::clock() - start, CLOCKS_PER_SEC) << what;
  return engine.ok();
}

}  // namespace lfm::test
