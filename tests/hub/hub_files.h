// What the tests' hub holds, and the cache that it goes into.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "hub/cache.h"
#include "hub/download.h"
#include "hub/module/module.h"
#include "mock_hub.h"
#include "support/temp_folder.h"

namespace lfm::test {

inline std::string random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

inline const std::string kFirst(40, 'a');
inline const std::string kSecond(40, 'b');

class HubTest : public testing::Test {
 protected:
  HubTest() {
    ::setenv("no_proxy", "*", 1);
    environment_.endpoint = hub_.endpoint();
    environment_.cache = folder_.path("hub");
    hub_.set(kFirst, files_);
  }

  hub::Cache cache() const { return hub::Cache(environment_.cache); }
  static hub::Name name(const std::string& quant = "Q4_0") {
    return {.repository = MockHub::kRepository, .quant = quant};
  }

  Result<hub::Pulled> pull(const hub::Name& name, bool update = false) {
    hub::PullOptions options;
    options.update = update;
    options.wait = std::chrono::milliseconds(0);
    options.begins = [&](const std::string&, std::uint64_t) { ++begun_; };
    const hub::Cache cache = this->cache();
    if (const auto path = cache.find(name, hub::Cache::Age::kCurrent); path && !update) return hub::Pulled{*path};
    return hub::download(*lfm_hub_transport(LFM_VERSION), name, environment_, cache, options);
  }
  std::string error(const hub::Name& name, bool update = false) {
    const auto pulled = pull(name, update);
    return pulled.ok() ? "none" : pulled.error().describe();
  }

  // All files below the cache: what a link leads to stands behind an arrow.
  std::vector<std::string> laid_out() const {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    if (!fs::exists(environment_.cache)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(environment_.cache)) {
      const std::string path = entry.path().lexically_relative(environment_.cache).string();
      if (entry.is_symlink()) found.push_back(path + " -> " + fs::read_symlink(entry.path()).string());
      if (!entry.is_symlink() && entry.is_regular_file() && !path.starts_with(".locks")) found.push_back(path);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  const std::vector<HubFile> files_ = {{"tiny-Q4_0.gguf", random_bytes(300'000, 1)},
                                       {"more/tiny-Q8_0.gguf", random_bytes(50'000, 2)},
                                       {"README.md", "# Tiny\n", false}};
  MockHub hub_;
  TempFolder folder_;
  hub::Environment environment_;
  int begun_ = 0;
};

}  // namespace lfm::test
