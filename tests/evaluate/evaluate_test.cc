// Perplexity and divergence of the project's own small network.
#include "lfm/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "evaluate/base_file.h"
#include "evaluate/log_probabilities.h"
#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

constexpr const char* kNano = LFM_NANO "/lfm2-nano-q4_0.gguf";

std::string exam_text() {
  std::string text = read_all(LFM_NANO "/eval.jsonl");
  text.resize(6000);
  return text;
}

EvaluateOptions windows_of(std::size_t tokens) {
  EvaluateOptions options;
  options.window_tokens = tokens;
  return options;
}

// The protocol, step by step, by the session's logits.
TEST(Evaluate, IsTheMeanOverTheSecondHalvesOfWindows) {
  const Engine engine = *Engine::open(kNano);
  const auto found = evaluate_text(engine, exam_text(), windows_of(64));
  ASSERT_TRUE(found.ok()) << found.error().describe();
  std::vector<TokenId> tokens = *engine.tokenizer().encode(exam_text());
  const std::size_t windows = tokens.size() / 64;
  double loss = 0, squares = 0;
  std::size_t count = 0;
  Session session = *engine.new_session();
  for (std::size_t w = 0; w < windows; ++w) {
    std::vector<TokenId> window(tokens.begin() + static_cast<std::ptrdiff_t>(64 * w),
                                tokens.begin() + static_cast<std::ptrdiff_t>(64 * (w + 1)));
    window[0] = tokens[0];
    expect_ok(session.sync({}));
    std::size_t position = 0;
    expect_ok(session.append(window, [&](std::span<const float> logits) {
      const std::size_t next = ++position;
      if (next <= 32 || next >= 64) return;
      double sum = 0;
      for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
      const double own = std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(window[next])]);
      loss += own;
      squares += own * own;
      ++count;
    }));
  }
  EXPECT_EQ(found->windows, windows);
  EXPECT_EQ(found->scored, count);
  EXPECT_EQ(count, windows * 31);
  const double n = static_cast<double>(count), mean = loss / n;
  EXPECT_NEAR(found->perplexity.value, std::exp(mean), 1e-5 * std::exp(mean));
  EXPECT_NEAR(found->perplexity.error, std::exp(mean) * std::sqrt((squares / n - mean * mean) / (n - 1)),
              1e-3 * std::exp(mean));
}

TEST(Evaluate, AModelIsNoDistanceFromItself) {
  const TempFolder folder;
  const Engine engine = *Engine::open(kNano);
  EvaluateOptions options = windows_of(64);
  options.base_out = folder.path("base");
  options.max_windows = 5;
  const auto before = evaluate_text(engine, exam_text(), options);
  ASSERT_TRUE(before.ok()) << before.error().describe();
  EvaluateOptions compare;
  compare.base = folder.path("base");
  const auto after = evaluate_text(engine, "", compare);
  ASSERT_TRUE(after.ok()) << after.error().describe();
  ASSERT_TRUE(after->divergence.has_value());
  EXPECT_DOUBLE_EQ(after->perplexity.value, before->perplexity.value);
  // The file knows no probabilities of less than e^-16 times the largest.
  EXPECT_LT(after->divergence->base_perplexity.value, 1.001 * before->perplexity.value);
  EXPECT_LT(std::abs(after->divergence->kld.value), 1e-4);
  EXPECT_GT(after->divergence->same_top.value, 0.98);  // neighbours may share a code
}

TEST(Evaluate, RefusesWhatIsNoBase) {
  const TempFolder folder;
  const Engine engine = *Engine::open(kNano);
  EvaluateOptions write = windows_of(64);
  write.base_out = folder.path("base");
  write.max_windows = 2;
  ASSERT_TRUE(evaluate_text(engine, exam_text(), write).ok());
  const std::string whole = read_all(folder.path("base"));
  EvaluateOptions compare;
  compare.base = folder.path("base");
  const auto refused = [&](std::string bytes, ErrorCode code, const char* says) {
    folder.write("base", bytes);
    expect_error(evaluate_text(engine, "", compare), code, says);
  };
  const auto with = [&](std::size_t at, std::int32_t value) {
    std::string bytes = whole;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
  };
  for (const std::size_t n : {std::size_t{0}, std::size_t{7}, std::size_t{19}})
    refused(whole.substr(0, n), ErrorCode::kFormat, "not a file of distributions");
  refused(whole.substr(0, whole.size() - 1), ErrorCode::kFormat, "cut");
  refused("x" + whole.substr(1), ErrorCode::kFormat, "not a file of distributions");
  refused(with(8, -1), ErrorCode::kFormat, "sizes");
  refused(with(8, 0x7fffffff), ErrorCode::kFormat, "sizes");
  refused(with(12, 1), ErrorCode::kFormat, "vocabulary");
  refused(with(16, 1 << 20), ErrorCode::kFormat, "cut");
  refused(with(20, -5), ErrorCode::kFormat, "token");
  refused(with(20, 1 << 20), ErrorCode::kFormat, "token");
  expect_error(evaluate_text(engine, "short", windows_of(64)), ErrorCode::kArgument, "two windows");
}

TEST(Evaluate, ABaseTakesNoPlaceButAnothers) {
  const TempFolder folder;
  const Engine engine = *Engine::open(kNano);
  EvaluateOptions write = windows_of(64);
  write.max_windows = 2;
  const std::string model = folder.write("model.gguf", read_all(kNano)), whole = read_all(model);
  for (const std::string& other : {model, folder.write("empty", ""), folder.write("text", "_logit")}) {
    write.base_out = other;
    const std::string before = read_all(other);
    expect_error(evaluate_text(engine, exam_text(), write), ErrorCode::kArgument,
                 "is there already, and isn't a file of distributions");
    EXPECT_TRUE(read_all(other) == before);
  }
  write.base_out = folder.path("");
  expect_error(evaluate_text(engine, exam_text(), write), ErrorCode::kArgument, "isn't a regular file");
  write.base_out = folder.path("base");
  ASSERT_TRUE(evaluate_text(engine, exam_text(), write).ok());
  const std::string base = read_all(folder.path("base"));
  write.base_out = folder.write("base", base.substr(0, 100));
  ASSERT_TRUE(evaluate_text(engine, exam_text(), write).ok());
  EXPECT_TRUE(read_all(folder.path("base")) == base);
}

TEST(LogProbabilities, KeepWhatTheyStandFor) {
  std::vector<float> logits = {3.0f, -2.5f, 0.25f, -40.0f, 2.75f};
  const evaluate::Normalized normalized = evaluate::normalize(logits);
  std::vector<std::uint16_t> row(evaluate::row_words(logits.size()));
  EXPECT_EQ(row.size(), 10u);
  evaluate::encode_row(logits, normalized, row);
  const evaluate::Compared same = evaluate::compare(logits, normalized, row, 2);
  EXPECT_TRUE(same.same_top);
  EXPECT_NEAR(same.divergence, 0, 1e-4);
  EXPECT_NEAR(same.base_log_probability, normalized.log_probability(0.25f), 2e-4);
}

}  // namespace
}  // namespace lfm::test
