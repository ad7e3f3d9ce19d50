// The process that the library runs in: nothing of it changes, and no result depends on it (R18, C17, O16).
#include "engine/surroundings.h"

#include <functional>
#include <vector>

#include "base/float_mode.h"
#include "base/team.h"
#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

TinyModel q4_0() {
  TinyModel model;
  model.matrices = format::TensorType::kQ4_0;
  model.embedding = format::TensorType::kQ6_K;
  model.hidden = 256;
  model.heads = 8;
  model.kv_heads = {0, 2, 0};
  return model;
}

struct Results {
  std::vector<float> logits;
  std::string text;
  std::string said;    // in notes and errors
  std::string packed;  // the weights of a packed file

  void expect_equal(const Results& other) const {
    expect_same_bits(logits, other.logits);
    EXPECT_EQ(text, other.text);
    EXPECT_EQ(said, other.said);
    EXPECT_TRUE(packed == other.packed);
  }
};

// Every call of the library once and more, each of which must leave the process as it was; `check` is called by
// callbacks too.
Results use_everything(const TempFolder& folder, const std::string& model, DenseBackend dense,
                       const std::function<void(const char*)>& check) {
  Results results;
  const std::string packed = folder.path("packed.lfm");
  const auto done = pack(model, packed, {.dense = dense, .threads = 2, .overwrite = true, .progress = [&](auto, auto) {
                                           check("progress");
                                           return true;
                                         }});
  check("pack");
  expect_ok(done);
  results.packed = read_all(packed).substr(4096);  // behind the header, which knows the time of the source
  expect_ok(verify_pack(packed));
  check("verify_pack");
  expect_ok(inspect(model));
  check("inspect");
  expect_ok(Tokenizer::open(model));
  check("Tokenizer::open");
  const auto missing = Engine::open("/nonexistent", {});
  check("Engine::open of nothing");
  results.said += missing.error().describe();

  EngineOptions options;
  options.threads = 2;
  options.dense = dense;
  options.pack_cache = folder.path("cache");
  options.pack_cache_min_bytes = 0;
  auto engine = Engine::open(model, options);
  check("Engine::open");
  expect_ok(engine->finish_pack_cache());
  check("finish_pack_cache");
  for (const std::string& note : engine->info().notes) results.said += note.substr(note.rfind('('));
  auto session = engine->new_session();
  check("new_session");
  const auto ids = engine->tokenizer().encode("Some text, 1.5 of it");
  check("encode");
  (void)engine->tokenizer().decode(*ids);
  check("decode");
  const auto keep = [&](std::span<const float> logits) {
    results.logits.insert(results.logits.end(), logits.begin(), logits.end());
  };
  expect_ok(session->sync(*ids));
  check("sync");
  keep(session->logits());
  expect_ok(session->append(random_tokens(40, 1), [&](std::span<const float> logits) {
    check("a callback of append");
    keep(logits);
  }));
  check("append");
  GenerateOptions sampled;
  sampled.max_tokens = 30;
  sampled.sampling =
      SamplingOptions{.temperature = 0.9f, .top_p = 0.95f, .min_p = 0.001f, .repetition_penalty = 1.1f, .seed = 3};
  sampled.ignore_end = true;
  expect_ok(session->generate(sampled, [&](const Piece& piece) {
    check("a callback of generate");
    results.text += piece.text;
    return true;
  }));
  check("generate");
  keep(session->logits());
  const TokenId bad[] = {-1234567};
  const Status refused = session->append(bad);
  check("append of nonsense");
  results.said += refused.error().describe();
  session->cancel();
  check("cancel");
  (void)Diagnostics(*engine).phase_times();
  (void)engine->recommended_sampling();
  check("phase_times");
  std::filesystem::remove_all(folder.path("cache"));
  return results;
}

class Surroundings : public testing::TestWithParam<DenseBackend> {
 protected:
  Results use() {
    const std::string before = surroundings();
    return use_everything(folder_, model_, GetParam(),
                          [&](const char* call) { EXPECT_EQ(surroundings(), before) << "after " << call; });
  }

  TempFolder folder_;
  std::string model_ = folder_.write("model.gguf", q4_0().build());
};

TEST_P(Surroundings, FloatModes) {
  const Results expected = use();
  for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
    for (const bool flush : {false, true}) {
      SCOPED_TRACE(testing::Message() << "rounding " << rounding << (flush ? ", flushing" : ""));
      Results results;
      {
        const FloatMode mode(rounding, flush);
        results = use();
      }
      expected.expect_equal(results);
    }
  }
}

// Also of what fenv.h doesn't know of.
TEST(DefaultFloatMode, IsWhatAThreadBeginsWith) {
  const std::uint64_t beginning = float_control();
  const FloatMode mode(FE_UPWARD, true);
  const std::uint64_t set = float_control();
  ASSERT_NE(set, beginning);
  {
    const base::DefaultFloatMode inside;
    EXPECT_EQ(float_control(), beginning);
    {
      const base::CallersFloatMode callers;
      EXPECT_EQ(float_control(), set);
    }
    EXPECT_EQ(float_control(), beginning);
    std::vector<std::uint64_t> of_members(3, set);
    auto team = base::Team::create(3);
    ASSERT_TRUE(team.ok());
    team->run([&](base::Worker& worker) { of_members[worker.index()] = float_control(); });
    EXPECT_EQ(of_members, std::vector(3, beginning));
  }
  EXPECT_EQ(float_control(), set);
  std::vector<std::uint64_t> of_members(3, set);  // of threads that are started in that mode
  auto team = base::Team::create(3);
  ASSERT_TRUE(team.ok());
  team->run([&](base::Worker& worker) { of_members[worker.index()] = float_control(); });
  EXPECT_EQ(of_members, (std::vector{set, beginning, beginning}));
}

// An application may want to see overflows as signals: the library's own must not be. (Not FE_INEXACT, which
// std::filesystem raises.)
TEST_P(Surroundings, Traps) {
  const Results expected = use();
  Results results;
  {
    const FloatMode restore(FE_TONEAREST, false);
    ::feclearexcept(FE_ALL_EXCEPT);
    ::feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW);
    results = use_everything(folder_, model_, GetParam(), [](const char*) {});
  }
  expected.expect_equal(results);
}

TEST_P(Surroundings, Locales) {
  const Results expected = use();
  const CommaLocale locale;
  expected.expect_equal(use());
}

INSTANTIATE_TEST_SUITE_P(Backends, Surroundings, testing::Values(DenseBackend::kXnnpack, DenseBackend::kNative),
                         [](const auto& test) { return test.param == DenseBackend::kXnnpack ? "Xnnpack" : "Native"; });

}  // namespace
}  // namespace lfm::test
