// Split models through the library: the same logits as of the whole file, however they are opened, packed or kept.
#include "support/split.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lfm/inspect.h"
#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kParts = 3;

class Split : public testing::Test {
 protected:
  Split() {
    TinyModel tiny;
    tiny.matrices = tiny.embedding = format::TensorType::kQ4_0;
    whole_ = folder_.write("whole.gguf", tiny.build());
    const auto parts = split(tiny.builder(), kParts);
    for (std::size_t i = 0; i < kParts; ++i) folder_.write(part_name("model", i, kParts), parts[i].build());
  }

  std::string part(std::size_t i) const { return folder_.path(part_name("model", i, kParts)); }

  Result<std::vector<float>> run(const std::string& path, const std::string& cache = "", std::string* notes = nullptr) {
    EngineOptions options;
    options.threads = 2;
    options.pack_cache = cache;
    options.pack_cache_min_bytes = 0;
    auto engine = Engine::open(path, options);
    if (!engine.ok()) return std::move(engine).error();
    auto session = engine->new_session({.context_tokens = 64});
    if (!session.ok()) return std::move(session).error();
    const std::vector<TokenId> tokens = {20, 30, 40, 50, 60};
    if (auto status = session->append(tokens); !status.ok()) return std::move(status).error();
    if (auto status = engine->finish_pack_cache(); !status.ok()) return std::move(status).error();
    if (notes != nullptr) *notes = engine->info().notes.empty() ? "" : engine->info().notes[0];
    return std::vector<float>(session->logits().begin(), session->logits().end());
  }

  TempFolder folder_;
  std::string whole_;
};

TEST_F(Split, AnyPartIsTheModel) {
  const auto expected = run(whole_);
  ASSERT_TRUE(expected.ok()) << expected.error().describe();
  const auto whole = inspect(whole_);
  ASSERT_TRUE(whole.ok());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < kParts; ++i) bytes += fs::file_size(part(i));
  for (std::size_t i = 0; i < kParts; ++i) {
    const auto logits = run(part(i));
    ASSERT_TRUE(logits.ok()) << logits.error().describe();
    EXPECT_EQ(*logits, *expected);
    const auto described = inspect(part(i));
    ASSERT_TRUE(described.ok());
    EXPECT_EQ(described->info.parameters, whole->info.parameters);
    EXPECT_EQ(described->info.file_bytes, bytes);
    EXPECT_EQ(described->tensors.size(), whole->tensors.size());
    const auto tokenizer = Tokenizer::open(part(i));
    ASSERT_TRUE(tokenizer.ok());
    EXPECT_EQ(tokenizer->size(), whole->info.vocabulary);
  }
}

TEST_F(Split, IsPackedAsAWhole) {
  const std::string packed = folder_.path("packed.lfm");
  expect_ok(pack(part(1), packed, {}));
  expect_ok(verify_pack(packed));
  for (std::size_t i = 0; i < kParts; ++i) fs::remove(part(i));
  EXPECT_EQ(*run(packed), *run(whole_));
}

// One file is kept for it, whichever part was named, and made anew when any part changes.
TEST_F(Split, IsKeptOnce) {
  const std::string cache = folder_.path("cache");
  const auto expected = run(whole_);
  std::string notes;
  for (std::size_t i = 0; i < kParts; ++i) {
    EXPECT_EQ(*run(part(i), cache, &notes), *expected);
    EXPECT_NE(notes.find(i == 0 ? "are being kept" : "packed before are used"), std::string::npos) << notes;
  }
  EXPECT_EQ(folder_.files("cache").size(), 1u);
  const std::string last = read_all(part(2));
  std::ofstream(part(2), std::ios::binary) << last;
  EXPECT_EQ(*run(part(0), cache, &notes), *expected);
  EXPECT_NE(notes.find("are being kept"), std::string::npos) << notes;
  EXPECT_EQ(folder_.files("cache").size(), 1u);
}

TEST_F(Split, WithoutAPartIsAnError) {
  for (std::size_t gone = 0; gone < kParts; ++gone) {
    const std::string bytes = read_all(part(gone));
    fs::remove(part(gone));
    for (std::size_t named = 0; named < kParts; ++named) expect_error(run(part(named)), ErrorCode::kIo, part(gone));
    folder_.write(part_name("model", gone, kParts), bytes.substr(0, bytes.size() - 64));
    expect_error(run(part(gone)), ErrorCode::kFormat, "truncated");
    folder_.write(part_name("model", gone, kParts), bytes);
  }
  EXPECT_TRUE(run(part(0)).ok());
}

}  // namespace
}  // namespace lfm::test
