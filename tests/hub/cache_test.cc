// What lists and removes the cache, whoever wrote it.
#include "hub/cache.h"

#include <gtest/gtest.h>

#include "hub/lock.h"
#include "hub_files.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

class HubCache : public HubTest {
 protected:
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& model : cache().list().models) names.push_back(model.name.text());
    return names;
  }
};

TEST_F(HubCache, ListsModels) {
  EXPECT_EQ(names(), std::vector<std::string>());
  ASSERT_TRUE(pull(name()).ok() && pull(name("Q8_0")).ok());
  folder_.write("hub/version.txt", "1");
  fs::create_directories(folder_.path("hub/models--a"));
  fs::create_directories(folder_.path("hub/datasets--a--b/snapshots"));
  fs::create_directories(folder_.path("hub/models--Some--bert/snapshots/" + kFirst));
  folder_.write("hub/models--Some--bert/snapshots/" + kFirst + "/config.json", R"({"model_type":"bert"})");
  folder_.write("hub/models--Some--bert/snapshots/" + kFirst + "/model.safetensors", "x");
  EXPECT_EQ(names(), (std::vector<std::string>{"Acme/tiny-GGUF:Q8_0", "Acme/tiny-GGUF:Q4_0"}));
  EXPECT_EQ(cache().list().models[1].files.bytes, 300'000u);
  folder_.write("hub/models--Acme--tiny-GGUF/blobs/" + std::string(64, '0') + ".incomplete", "half");
  ASSERT_EQ(cache().list().unfinished.size(), 1u);
  EXPECT_EQ(cache().list().unfinished[0].bytes, 4u);
}

TEST_F(HubCache, RemovesOneModel) {
  ASSERT_TRUE(pull(name()).ok() && pull(name("Q8_0")).ok());
  const auto removed = cache().remove(name());
  ASSERT_TRUE(removed.ok()) << removed.error().describe();
  EXPECT_EQ(removed->bytes, 300'000u);
  EXPECT_EQ(removed->blobs.size(), 1u);
  EXPECT_EQ(names(), std::vector<std::string>{"Acme/tiny-GGUF:Q8_0"});
  EXPECT_EQ(cache().remove(name()).error().code, ErrorCode::kArgument);
  EXPECT_TRUE(cache().remove(name("Q8_0")).ok());
  EXPECT_EQ(laid_out(), std::vector<std::string>());
  EXPECT_FALSE(fs::exists(cache().repository(MockHub::kRepository)));
}

TEST_F(HubCache, KeepsBlobsThatOthersLinkTo) {
  ASSERT_TRUE(pull(name()).ok());
  std::vector<HubFile> newer = {{"tiny-Q6_K.gguf", files_[0].bytes}};  // the same under another name
  hub_.set(kSecond, newer);
  ASSERT_TRUE(pull(name("Q6_K"), true).ok());
  const auto removed = cache().remove(name("Q6_K"));
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->bytes, 0u);
  EXPECT_EQ(names(), std::vector<std::string>{"Acme/tiny-GGUF:Q4_0"});
  EXPECT_EQ(read_all(*cache().find(name(), hub::Cache::Age::kAny)), files_[0].bytes);
}

TEST_F(HubCache, RemovesARepository) {
  ASSERT_TRUE(pull(name()).ok() && pull(name("Q8_0")).ok());
  folder_.write("hub/models--Acme--tiny-GGUF/blobs/" + std::string(64, '0') + ".incomplete", "half");
  const std::string outside = folder_.write("outside", "precious");
  fs::create_symlink(outside, cache().snapshot(MockHub::kRepository, kFirst) + "/link.txt");
  {
    const auto lock = hub::Lock::take(cache().lock(MockHub::kRepository, std::string(64, '0')), hub::Lock::Wait::kNo);
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(cache().remove(name("")).error().code, ErrorCode::kState);
  }
  const auto removed = cache().remove(name(""));
  ASSERT_TRUE(removed.ok()) << removed.error().describe();
  EXPECT_GT(removed->bytes, 350'000u);
  EXPECT_EQ(removed->blobs.size(), 2u);
  EXPECT_EQ(laid_out(), std::vector<std::string>());
  EXPECT_EQ(read_all(outside), "precious");
  EXPECT_EQ(cache().remove(name("")).error().code, ErrorCode::kArgument);
  EXPECT_EQ(cache().remove({.repository = "never/there"}).error().code, ErrorCode::kArgument);
}

// A program that doesn't say which revision it asked for, as Hugging Face's for JavaScript.
TEST_F(HubCache, FindsWhatHasNoRevision) {
  ASSERT_TRUE(pull(name()).ok());
  fs::remove_all(cache().repository(MockHub::kRepository) + "/refs");
  EXPECT_TRUE(cache().find(name(), hub::Cache::Age::kCurrent));
  hub::Name other = name();
  other.revision = "v1";
  EXPECT_FALSE(cache().find(other, hub::Cache::Age::kCurrent));
  other.revision = kFirst;
  EXPECT_TRUE(cache().find(other, hub::Cache::Age::kCurrent));
}

TEST_F(HubCache, ALinkWithoutItsBlobIsNothing) {
  const auto pulled = pull(name());
  ASSERT_TRUE(pulled.ok());
  fs::remove(fs::canonical(pulled->path));
  EXPECT_FALSE(cache().find(name(), hub::Cache::Age::kAny));
  EXPECT_EQ(names(), std::vector<std::string>());
  EXPECT_TRUE(pull(name()).ok());
}

}  // namespace
}  // namespace lfm::test
