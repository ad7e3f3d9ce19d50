// Perplexity and divergence of the project's own small network.
#include "lfm/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "evaluate/base_file.h"
#include "evaluate/likeliest.h"
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

// The small kind of file says nearly what the large one does of a network that isn't the base's.
TEST(Evaluate, TheLikeliestTokensAreNearlyAll) {
  const TempFolder folder;
  const Engine engine = *Engine::open(kNano);
  Evaluation found[2];
  double perplexity = 0;
  for (const std::size_t likeliest : {std::size_t{0}, std::size_t{64}}) {
    EvaluateOptions options = windows_of(64);
    options.base_out = folder.path("base");
    options.base_likeliest = likeliest;
    options.max_windows = 6;
    const auto written = evaluate_text(engine, exam_text(), options);
    ASSERT_TRUE(written.ok()) << written.error().describe();
    perplexity = written->perplexity.value;
    EXPECT_EQ(read_all(folder.path("base")).size() < 150000, likeliest > 0);
    EvaluateOptions compare;
    compare.base = folder.path("base");
    EngineOptions other;
    other.dense = DenseBackend::kXnnpack;  // other roundings of activations: another network, a little
    const Engine compared = *Engine::open(kNano, other);
    auto evaluation = evaluate_text(compared, "", compare);
    ASSERT_TRUE(evaluation.ok()) << evaluation.error().describe();
    found[likeliest > 0] = *std::move(evaluation);
  }
  const Divergence &all = *found[0].divergence, &some = *found[1].divergence;
  EXPECT_NEAR(some.base_perplexity.value, perplexity, 1e-4 * perplexity);  // which the large kind cuts
  EXPECT_NEAR(some.same_top.value, all.same_top.value, 0.03);
  EXPECT_NEAR(some.kld.value, all.kld.value, 0.2 * all.kld.value + 1e-4);
}

TEST(Evaluate, RefusesALikeliestTokenThatIsNone) {
  const TempFolder folder;
  const Engine engine = *Engine::open(kNano);
  EvaluateOptions options = windows_of(64);
  options.base_out = folder.path("base");
  options.base_likeliest = 4;
  options.max_windows = 2;
  ASSERT_TRUE(evaluate_text(engine, exam_text(), options).ok());
  std::string bytes = read_all(folder.path("base"));
  const std::int32_t wrong = 1 << 20;
  std::memcpy(bytes.data() + 24 + 2 * 64 * 4 + 8, &wrong, sizeof wrong);
  EvaluateOptions compare;
  compare.base = folder.write("base", bytes);
  expect_error(evaluate_text(engine, "", compare), ErrorCode::kFormat, "vocabulary");
  options.base_likeliest = 1 << 20;
  expect_error(evaluate_text(engine, exam_text(), options), ErrorCode::kArgument, "base_likeliest");
}

TEST(Evaluate, AnExamCountsWhatIsRight) {
  const Engine engine = *Engine::open(kNano);
  const std::string ask = "<|startoftext|><|im_start|>user\nHow much is 14 plus 85?<|im_end|>\n<|im_start|>assistant\n";
  std::string said;
  std::vector<ExamQuestion> questions(5, {ask, "?", ExamMatch::kExact, 40, "sum"});
  const auto first =
      hold_exam(engine, std::span(questions).first(1), [&](const ExamResult&, std::string_view answer, bool right) {
        said = answer;
        return !right;
      });
  ASSERT_TRUE(first.ok()) << first.error().describe();
  ASSERT_FALSE(said.empty());
  questions[1].expected = " " + said + "\n";
  questions[2] = {ask, said.substr(2, 4), ExamMatch::kContains, 40, "part"};
  questions[3] = {ask, said, ExamMatch::kExact, 2, "cut"};  // which it can't say in two tokens
  questions[4] = {ask, "x", ExamMatch::kJson, 40, "sum"};
  const auto all = hold_exam(engine, questions, nullptr);
  ASSERT_TRUE(all.ok()) << all.error().describe();
  EXPECT_EQ(all->all.asked, 5u);
  EXPECT_EQ(all->all.right, 2u);
  ASSERT_EQ(all->kinds.size(), 3u);
  EXPECT_EQ(all->kinds[0].kind, "sum");
  EXPECT_EQ(all->kinds[0].asked, 3u);
  EXPECT_EQ(all->kinds[0].right, 1u);
  EXPECT_EQ(all->kinds[1].right, 1u);
  EXPECT_EQ(all->kinds[2].right, 0u);
  questions[0].prompt.clear();
  for (int i = 0; i < 20; ++i) questions[0].prompt += "How much is that? ";
  const auto cut = hold_exam(engine, questions, nullptr, {.context_tokens = 64});  // in which the others have room
  ASSERT_TRUE(cut.ok()) << cut.error().describe();
  EXPECT_EQ(cut->all.asked, 5u);
  EXPECT_EQ(cut->all.right, 2u);
  EXPECT_EQ(cut->too_long, 1u);
  EXPECT_EQ(all->too_long, 0u);
  questions[2].prompt.clear();
  const auto none = hold_exam(engine, questions, nullptr);
  expect_error(none, ErrorCode::kArgument, "no tokens");
  EXPECT_EQ(none.error().index, 2u);
  expect_error(hold_exam(engine, questions, [](const ExamResult&, std::string_view, bool) { return false; }),
               ErrorCode::kCancelled, "stopped");
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

TEST(Likeliest, TheRestTogetherLosesLittle) {
  std::vector<float> p(500), q(500);
  for (std::size_t i = 0; i < p.size(); ++i) {
    p[i] = 8.0f / static_cast<float>(1 + i) + static_cast<float>(i * 37 % 11) / 50;
    q[i] = p[i] + static_cast<float>(i * 53 % 7) / 20;
  }
  const evaluate::Normalized of_p = evaluate::normalize(p), of_q = evaluate::normalize(q);
  double whole = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    whole += std::exp(of_p.log_probability(p[i])) * (of_p.log_probability(p[i]) - of_q.log_probability(q[i]));
  EXPECT_NEAR(evaluate::divergence(evaluate::likeliest(p, of_p, 500), q, of_q), whole, 1e-6);
  const double some = evaluate::divergence(evaluate::likeliest(p, of_p, 20), q, of_q);
  EXPECT_LT(some, whole);
  EXPECT_GT(some, 0);
  EXPECT_NEAR(evaluate::divergence(evaluate::likeliest(p, of_p, 20), p, of_p), 0, 1e-6);
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
