// Systematic damage to a saved session, with checksums that are right and without: every number of it replaced by the
// values at which arithmetic goes wrong, and every prefix. A clean result each time, within a second of processor time
// and 64 MiB beside the file, and the session that was to load it is as it was.
#include <gtest/gtest.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "engine/forgery.h"
#include "engine/tiny_engine.h"
#include "source/mutation.h"
#include "support/alloc_meter.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

class SavedMutation : public testing::Test {
 protected:
  static TinyModel model() {
    TinyModel tiny;
    tiny.hidden = tiny.ffn_width = tiny.expert_width = 32;
    tiny.heads = 1;
    tiny.kv_heads = {0, 1};
    tiny.vocab = 272;
    return tiny;
  }

  SavedMutation() : tiny_(model()), path_(folder_.path("talk")), session_(new_session()) {
    Session talk = new_session();
    expect_ok(talk.append(random_tokens(40, 1, 272)));
    expect_ok(talk.save(path_));
    whole_ = read_all(path_);
    expect_ok(session_.append(random_tokens(3, 2, 272)));
    before_ = logits_of(session_);
  }

  // Room for states is what the caller asks for, not what a file does: little, here.
  Session new_session() const {
    auto session = tiny_.engine().new_session({.context_tokens = 64, .snapshot_bytes = std::size_t{1} << 16});
    if (!session.ok()) throw std::runtime_error(session.error().describe());
    return *std::move(session);
  }

  // Loads what lies at the path. Returns whether it was taken for a session; then that one goes on, or says that its
  // numbers are none.
  bool expect_clean(const std::string& what) {
    const std::clock_t start = std::clock();
    bool taken = false;
    {
      AllocMeter meter;
      const Status status = session_.load(path_);
      taken = status.ok();
      EXPECT_LE(meter.peak_bytes(), std::filesystem::file_size(path_) + kMaxExtraBytes) << what;
      if (!taken) {
        EXPECT_FALSE(status.error().message.empty() || status.error().field.empty()) << what;
      }
    }
    EXPECT_LE(std::clock() - start, CLOCKS_PER_SEC) << what;
    if (!taken) {
      EXPECT_EQ(session_.tokens().size(), 3u) << what;
      expect_same_bits(before_, session_.logits());
      return false;
    }
    const TokenId next[] = {20};
    const Status went_on = session_.append(next);
    EXPECT_TRUE(went_on.ok() || went_on.error().code == ErrorCode::kNumeric) << what << went_on.error().describe();
    expect_ok(session_.sync(random_tokens(3, 2, 272)));
    return true;
  }

  std::vector<Field> fields() const {
    std::vector<Field> all = {{"version", 8, 4}, {"block", 12, 4}};
    for (std::size_t at = 16; at < sizeof(engine::SavedHeader); at += 8) all.push_back({"header", at, 8});
    const Forgery f(whole_);
    for (std::size_t i = 0; i <= f.header.tokens; ++i) all.push_back({"token", sizeof f.header + 4 * i, 4});
    for (std::size_t i = 0; i <= f.header.snapshots; ++i) all.push_back({"position", f.positions() + 8 * i, 8});
    for (std::size_t i = 0; i < 4; ++i) {
      all.push_back({"logit", f.logits() + 68 * i, 4});
      all.push_back({"state", f.state() + 12 * i, 4});
      all.push_back({"snapshot", f.snapshots() + 12 * i, 4});
      all.push_back({"key", f.pages() + 64 * i, 2});
    }
    return all;
  }

  TempFolder folder_;
  TinyEngine tiny_;
  std::string path_;
  std::string whole_;
  Session session_;
  std::vector<float> before_;
};

TEST_F(SavedMutation, EveryNumber) {
  std::size_t files = 0, taken = 0;
  for (const bool mended : {false, true}) {
    for (const Field& field : fields()) {
      std::uint64_t value = 0;
      std::memcpy(&value, whole_.data() + field.offset, field.width);
      for (const std::uint64_t replacement : replacements(value, field.width)) {
        std::string bytes = whole_;
        std::memcpy(bytes.data() + field.offset, &replacement, field.width);
        folder_.write("talk", mended ? Forgery(bytes).sealed() : bytes);
        const bool accepted = expect_clean(field.name + " = " + std::to_string(replacement));
        EXPECT_FALSE(accepted && !mended) << field.name << " at " << field.offset << " = " << replacement;
        taken += accepted ? 1 : 0;
        ++files;
      }
    }
  }
  EXPECT_GT(files, 1000u);
  EXPECT_GT(taken, 10u) << "other tokens are a session";
}

TEST_F(SavedMutation, EveryPrefix) {
  for (std::size_t size = whole_.size(); size-- > 0;) {
    std::filesystem::resize_file(path_, size);
    EXPECT_FALSE(expect_clean("prefix of " + std::to_string(size)));
  }
}

}  // namespace
}  // namespace lfm::test
