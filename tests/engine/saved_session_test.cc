// Sessions in files: what was saved goes on as if nothing had happened, and nothing else gets in.
#include "engine/session/saved_session.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "engine/forgery.h"
#include "engine/tiny_engine.h"
#include "lfm/pack.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

TinyModel q4_0() {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  model.embedding = format::TensorType::kQ4_0;
  return model;
}

class SavedSession : public testing::Test {
 protected:
  SavedSession() : tiny_(q4_0()), path_(folder_.path("talk")) {}

  std::string saved(std::size_t tokens, std::uint32_t seed = 1) {
    Session session = tiny_.session();
    expect_ok(session.append(random_tokens(tokens, seed)));
    expect_ok(session.save(path_));
    return read_all(path_);
  }

  // A session of five tokens refuses the bytes and stays as it was.
  void expect_refused(const std::string& bytes, ErrorCode code, const std::string& says) {
    Session session = tiny_.session(200);
    expect_ok(session.append(random_tokens(5, 99)));
    const std::vector<float> logits = logits_of(session);
    const std::string path = folder_.write("refused", bytes);
    expect_error(session.load(path), code, says);
    EXPECT_EQ(session.tokens().size(), 5u);
    expect_same_bits(logits, session.logits());
    const TokenId next[] = {3};
    expect_ok(session.append(next));
  }

  TempFolder folder_;
  TinyEngine tiny_;
  std::string path_;
};

// What isn't a regular file stays what it is.
TEST_F(SavedSession, NothingElseIsReplacedByAFile) {
  Session session = tiny_.session();
  expect_ok(session.append(random_tokens(3, 1)));
  folder_.write("kept", "kept");
  fs::create_symlink("kept", folder_.path("link"));
  fs::create_symlink("nowhere", folder_.path("dangling"));
  fs::create_directory(folder_.path("folder"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  std::vector<std::string> names = {"link", "dangling", "folder", "fifo"};
  // Devices are root's to make, and no test should try this on the system's own.
  if (::mknod(folder_.path("device").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) names.push_back("device");
  for (const std::string& name : names) {
    const fs::file_type before = fs::symlink_status(folder_.path(name)).type();
    expect_error(session.save(folder_.path(name)), ErrorCode::kArgument, "isn't a regular file");
    EXPECT_EQ(fs::symlink_status(folder_.path(name)).type(), before) << name;
  }
  EXPECT_EQ(read_all(folder_.path("kept")), "kept");
  EXPECT_FALSE(fs::exists(folder_.path("nowhere")));
  expect_ok(session.save(folder_.path("kept")));
}

TEST_F(SavedSession, GoesOnAsIfNothingHadHappened) {
  for (const std::size_t count : {1, 2, 31, 32, 33, 63, 64, 65, 128, 129, 200}) {
    SCOPED_TRACE(count);
    Session session = tiny_.session();
    expect_ok(session.append(random_tokens(count, 1)));
    expect_ok(session.save(path_));
    Session loaded = tiny_.session();
    expect_ok(loaded.append(random_tokens(70, 2)));
    expect_ok(loaded.load(path_));
    EXPECT_EQ(tokens_of(loaded), tokens_of(session));
    expect_same_bits(session.logits(), loaded.logits());
    EXPECT_EQ(generate(loaded, greedy(40)).text, generate(session, greedy(40)).text);
    expect_same_bits(session.logits(), loaded.logits());
  }
}

TEST_F(SavedSession, KnowsHowKeysAndValuesAreKept) {
  constexpr CacheType kTypes[] = {CacheType::kF16, CacheType::kQ8_0};
  for (const CacheType keys : kTypes) {
    for (const CacheType values : kTypes) {
      const SessionOptions options{.cache_keys = keys, .cache_values = values};
      Session session = TinyEngine::new_session(tiny_.engine(), options);
      expect_ok(session.append(random_tokens(70, 1)));
      expect_ok(session.save(path_));
      for (const CacheType other_keys : kTypes) {
        for (const CacheType other_values : kTypes) {
          Session other =
              TinyEngine::new_session(tiny_.engine(), {.cache_keys = other_keys, .cache_values = other_values});
          const Status loaded = other.load(path_);
          if (other_keys == keys && other_values == values) {
            expect_ok(loaded);
            expect_same_bits(session.logits(), other.logits());
          } else {
            expect_error(loaded, ErrorCode::kArgument, "keys and values are ");
          }
        }
      }
      Session loaded = TinyEngine::new_session(tiny_.engine(), options);
      expect_ok(loaded.load(path_));
      EXPECT_EQ(generate(loaded, greedy(40)).text, generate(session, greedy(40)).text);
    }
  }
}

TEST_F(SavedSession, OfNothingIsNothing) {
  expect_ok(tiny_.session().save(path_));
  Session session = tiny_.session();
  expect_ok(session.append(random_tokens(9, 1)));
  expect_ok(session.load(path_));
  EXPECT_TRUE(session.tokens().empty());
  EXPECT_TRUE(session.logits().empty());
}

TEST_F(SavedSession, EditsAreAsCheapAsBefore) {
  saved(300);
  Session session = tiny_.session();
  expect_ok(session.load(path_));
  std::vector<TokenId> ids = tokens_of(session);
  for (const std::size_t at : {290u, 200u, 97u}) {
    ids[at] = (ids[at] + 1) % 300;
    const auto info = session.sync(ids);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->reused, at / 32 * 32);
    Session fresh = tiny_.session();
    expect_ok(fresh.append(ids));
    expect_same_bits(fresh.logits(), session.logits());
  }
}

// Other threads, other chunks, another room, few snapshots, a packed file of the same model.
TEST_F(SavedSession, AnotherEngineOfTheModelTakesIt) {
  saved(150);
  Session original = tiny_.session();
  expect_ok(original.load(path_));
  generate(original, greedy(10));
  const std::string packed = folder_.path("model.lfm");
  expect_ok(pack(tiny_.path(), packed, {}));
  const auto from_pack = Engine::open(packed, {.threads = 2, .chunk_tokens = 16});
  ASSERT_TRUE(from_pack.ok()) << from_pack.error().describe();
  for (const Engine& engine : {*from_pack, tiny_.open({.threads = 3})}) {
    auto session = engine.new_session({.context_tokens = 160, .snapshot_bytes = 0});
    ASSERT_TRUE(session.ok());
    expect_ok(session->load(path_));
    generate(*session, greedy(10));
    EXPECT_EQ(tokens_of(*session), tokens_of(original));
    expect_same_bits(original.logits(), session->logits());
    std::vector<TokenId> ids = tokens_of(*session);
    ids[100] = 1;
    expect_ok(session->sync(ids));
    Session fresh = tiny_.session();
    expect_ok(fresh.append(ids));
    expect_same_bits(fresh.logits(), session->logits());
  }
}

// After a cancelled prompt there are no logits to save.
TEST_F(SavedSession, WithoutLogits) {
  const Engine engine = tiny_.open({.threads = 1, .chunk_tokens = 8});
  Session session = TinyEngine::new_session(engine);
  const std::vector<TokenId> ids = random_tokens(64, 8);
  std::size_t seen = 0;
  expect_error(session.append(ids,
                              [&](std::span<const float>) {
                                if (++seen == 20) session.cancel();
                              }),
               ErrorCode::kCancelled, "");
  ASSERT_TRUE(session.logits().empty());
  expect_ok(session.save(path_));
  Session loaded = tiny_.session();
  expect_ok(loaded.load(path_));
  EXPECT_EQ(tokens_of(loaded), tokens_of(session));
  EXPECT_TRUE(loaded.logits().empty());
  const auto info = loaded.sync(ids);
  ASSERT_TRUE(info.ok());
  Session fresh = tiny_.session();
  expect_ok(fresh.append(ids));
  expect_same_bits(fresh.logits(), loaded.logits());
}

TEST_F(SavedSession, IsForItsOwnerAndReplacesTheOldOne) {
  const std::string first = saved(40);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(saved(40), first) << "the same session gives the same bytes";
  EXPECT_NE(saved(41), first);
  EXPECT_EQ(folder_.files().size(), 1u) << "nothing is left beside it";
}

// Tokens that were taken back aren't in the file.
TEST_F(SavedSession, HoldsNothingThatIsForgotten) {
  Session session = tiny_.session();
  expect_ok(session.append(random_tokens(33, 1)));
  expect_ok(session.save(path_));
  const std::string before = read_all(path_);
  expect_ok(session.append(random_tokens(25, 2)));
  expect_ok(session.sync(random_tokens(33, 1)));
  expect_ok(session.save(path_));
  EXPECT_EQ(read_all(path_), before);
}

TEST_F(SavedSession, SaveErrors) {
  Session session = tiny_.session();
  expect_ok(session.append(random_tokens(9, 1)));
  expect_error(session.save(""), ErrorCode::kArgument, "");
  expect_error(session.save(folder_.path("missing/talk")), ErrorCode::kIo, "No such file");
  expect_error(session.save(folder_.path(".") + "/"), ErrorCode::kArgument, "");
  fs::create_directory(folder_.path("folder"));
  expect_error(session.save(folder_.path("folder")), ErrorCode::kArgument, "regular file");
  EXPECT_EQ(folder_.files().size(), 1u);
  EXPECT_EQ(session.tokens().size(), 9u);
}

TEST_F(SavedSession, LoadErrors) {
  Session session = tiny_.session();
  expect_error(session.load(folder_.path("missing")), ErrorCode::kIo, "No such file");
  expect_error(session.load(folder_.path(".")), ErrorCode::kIo, "not a regular file");
  const std::string fifo = folder_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_error(session.load(fifo), ErrorCode::kIo, "not a regular file");
  expect_refused("", ErrorCode::kFormat, "truncated");
  expect_refused(std::string(4096, '\0'), ErrorCode::kFormat, "not a saved session");
  expect_refused(read_all(tiny_.path()), ErrorCode::kFormat, "not a saved session");
}

TEST_F(SavedSession, MoreTokensThanThereIsRoomFor) {
  saved(201);
  expect_refused(read_all(path_), ErrorCode::kLimit, "201 tokens in a context of 200");
}

TEST_F(SavedSession, OfAnotherModel) {
  const std::string bytes = saved(40);
  const auto refuses = [&](const TinyEngine& other) {
    Session session = other.session();
    expect_error(session.load(path_), ErrorCode::kArgument, "another model");
  };
  TinyModel model = q4_0();
  model.seed = 2;  // other weights, the same header
  refuses(TinyEngine(model));
  model = q4_0();
  GgufBuilder one_weight = model.builder();
  std::string& data = one_weight.tensor("blk.1.attn_k.weight").data;
  data[7] = static_cast<char>(data[7] ^ 1);
  const TempFile file(one_weight.build());
  auto engine = Engine::open(file.path(), {.threads = 1});
  ASSERT_TRUE(engine.ok());
  Session session = TinyEngine::new_session(*engine);
  expect_error(session.load(path_), ErrorCode::kArgument, "another model");
  GgufBuilder base = model.builder();
  base.set_f32("lfm2moe.rope.freq_base", 5e6f);
  const TempFile rope(base.build());
  auto turned = Engine::open(rope.path(), {.threads = 1});
  ASSERT_TRUE(turned.ok());
  Session other = TinyEngine::new_session(*turned);
  expect_error(other.load(path_), ErrorCode::kArgument, "another model");
  for (const DenseBackend dense : {DenseBackend::kXnnpack, DenseBackend::kNative}) {
    const Engine engine_of_dense = tiny_.open({.threads = 1, .dense = dense});
    if (engine_of_dense.info().dense_backend == tiny_.engine().info().dense_backend) continue;
    Session foreign = TinyEngine::new_session(engine_of_dense);
    expect_error(foreign.load(path_), ErrorCode::kArgument, "another model");
  }
}

// F01: cut anywhere, and any bit changed.
TEST_F(SavedSession, DamagedFilesAreRefused) {
  const std::string bytes = saved(70);
  for (std::size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 257)
    expect_refused(bytes.substr(0, size), ErrorCode::kFormat, "truncated");
  expect_refused(bytes + '\0', ErrorCode::kFormat, "longer than written");
  Session session = tiny_.session();
  for (std::size_t at = 0; at < bytes.size(); at += at < 400 ? 1 : 61) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    const Status status = session.load(folder_.write("changed", changed));
    ASSERT_FALSE(status.ok()) << "byte " << at;
    EXPECT_TRUE(status.error().code == ErrorCode::kFormat || status.error().code == ErrorCode::kUnsupported) << at;
    EXPECT_NE(status.error().offset, Error::kNone) << at;
  }
}

TEST_F(SavedSession, ForgedSizesAreRefused) {
  const std::string bytes = saved(70);
  ASSERT_EQ(Forgery(bytes).sealed(), bytes);
  using Header = engine::SavedHeader;
  const std::pair<std::uint64_t Header::*, const char*> fields[] = {
      {&Header::tokens, "tokens"},          {&Header::snapshots, "snapshots"}, {&Header::logits, "vocabulary"},
      {&Header::conv_floats, "contradict"}, {&Header::pages, "contradict"},    {&Header::page_bytes, "contradict"},
      {&Header::file_bytes, "contradict"}};
  for (const auto& [field, says] : fields) {
    for (const std::uint64_t value : {std::uint64_t{1} << 32, (std::uint64_t{1} << 32) - 1, std::uint64_t{1} << 63,
                                      ~std::uint64_t{0}, ~std::uint64_t{0} / 4, std::uint64_t{1} << 61}) {
      SCOPED_TRACE(testing::Message() << says << " " << value);
      Forgery forgery(bytes);
      forgery.header.*field = value;
      expect_refused(forgery.sealed(), field == &Header::tokens ? ErrorCode::kLimit : ErrorCode::kFormat, says);
    }
  }
  Forgery forgery(bytes);
  forgery.header.version = 3;
  expect_refused(forgery.sealed(), ErrorCode::kUnsupported, "version 3");
  forgery = Forgery(bytes);
  EXPECT_STREQ(forgery.header.key_type, "f16");
  EXPECT_EQ(forgery.header.value_type[0], '\0');
  std::memcpy(forgery.header.key_type, "q3_9", sizeof forgery.header.key_type);
  expect_refused(forgery.sealed(), ErrorCode::kUnsupported, "of a type that isn't known");
  forgery = Forgery(bytes);
  std::memset(forgery.header.value_type, 'f', sizeof forgery.header.value_type);
  expect_refused(forgery.sealed(), ErrorCode::kUnsupported, "of a type that isn't known");
  std::memcpy(forgery.header.value_type, "q8_0", sizeof forgery.header.value_type);
  expect_refused(forgery.sealed(), ErrorCode::kArgument, "keys and values are f16 and q8_0, the session's are f16");
  forgery = Forgery(bytes);
  forgery.header.kv_block = 16;
  expect_refused(forgery.sealed(), ErrorCode::kFormat, "contradict");
  forgery = Forgery(bytes);
  forgery.header.tokens = 69;  // which would be as many blocks
  expect_refused(forgery.sealed(), ErrorCode::kFormat, "contradict");
}

TEST_F(SavedSession, ForgedValuesAreRefused) {
  const std::string bytes = saved(70);  // snapshots at 32, 64, 69, 70
  const Forgery f(bytes);
  ASSERT_EQ(f.header.snapshots, 4u);
  constexpr std::uint32_t kNan = 0x7fc00000, kInfinity = 0xff800000;
  expect_refused(Forgery(bytes).put(sizeof f.header + 4 * 3, -1).sealed(), ErrorCode::kFormat, "tokens");
  expect_refused(Forgery(bytes).put(sizeof f.header + 4 * 69, 300).sealed(), ErrorCode::kFormat, "(index 69");
  expect_refused(Forgery(bytes).put(f.positions(), std::uint64_t{0}).sealed(), ErrorCode::kFormat, "positions");
  expect_refused(Forgery(bytes).put(f.positions() + 8, std::uint64_t{32}).sealed(), ErrorCode::kFormat, "(index 1");
  expect_refused(Forgery(bytes).put(f.positions() + 24, std::uint64_t{71}).sealed(), ErrorCode::kFormat, "(index 3");
  expect_refused(Forgery(bytes).put(f.positions() + 24, ~std::uint64_t{0}).sealed(), ErrorCode::kFormat, "(index 3");
  expect_refused(Forgery(bytes).put(f.logits() + 4 * 299, kNan).sealed(), ErrorCode::kFormat, "logits");
  expect_refused(Forgery(bytes).put(f.state(), kInfinity).sealed(), ErrorCode::kFormat, "state");
  expect_refused(Forgery(bytes).put(f.snapshots() + 40, kNan).sealed(), ErrorCode::kFormat, "snapshots");
  expect_refused(Forgery(bytes).put(f.pages() + 64, std::uint16_t{0x7c00}).sealed(), ErrorCode::kFormat, "keys");
  // Wrong but possible numbers are a session, if not one that this model would have had.
  Session session = tiny_.session();
  expect_ok(session.load(folder_.write("odd", Forgery(bytes).put(f.state(), 1e30f).sealed())));
  (void)session.generate(greedy(3), nullptr);
}

// Neither can sections of two files of the same sizes be exchanged nor those of one.
TEST_F(SavedSession, SectionsBelongToTheirFile) {
  const std::string one = saved(70, 1), other = saved(70, 2);
  const Forgery f(one);
  std::string mixed = one;
  const std::uint64_t length = 4 * f.header.conv_floats + 8;
  mixed.replace(f.state(), length, other.substr(f.state(), length));
  expect_refused(mixed, ErrorCode::kFormat, "damaged");
  mixed = one;
  mixed.replace(f.snapshots(), length, one.substr(f.snapshots() + length, length));
  expect_refused(mixed, ErrorCode::kFormat, "damaged");
}

}  // namespace
}  // namespace lfm::test
