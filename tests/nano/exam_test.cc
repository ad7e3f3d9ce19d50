// The exam of the network that comes with the project: the whole chain from the file's bytes to text that is right.
#include "nano/exam.h"

#include <gtest/gtest.h>

#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr std::size_t kEvery = 8;  // question is asked here; models/nano/README.md has the score of all
constexpr double kBar = 0.9;

void expect_a_sample_right(const SessionOptions& options) {
  const std::vector<Question> exam = read_exam();
  ASSERT_EQ(exam.size(), 500u);
  std::size_t asked = 0;
  std::size_t right = 0;
  std::string wrong;
  for (std::size_t i = 0; i < exam.size(); i += kEvery) {
    const Question& question = exam[i];
    auto session = nano().new_session(options);
    ASSERT_TRUE(session.ok()) << session.error().describe();
    expect_ok(session->append(question.ids));
    const Answer answer = greedy(*session, question.max_tokens);
    ++asked;
    if (is_right(question, answer)) {
      ++right;
    } else {
      wrong += question.id + ": expected '" + question.expect + "', got '" + answer.text + "'\n";
    }
  }
  EXPECT_GE(static_cast<double>(right), kBar * static_cast<double>(asked)) << wrong;
}

TEST(NanoExam, SampleIsAnsweredRight) {
  expect_a_sample_right({});
}

TEST(NanoExam, SampleIsAnsweredRightFrom8Bits) {
  expect_a_sample_right({.cache_keys = CacheType::kQ8_0, .cache_values = CacheType::kQ8_0});
}

// Another implementation, Hugging Face's tokenizers, wrote the ids.
TEST(NanoExam, TokenizerAgreesWithTheReference) {
  const std::string bos = "<|startoftext|>";
  for (const Question& question : read_exam()) {
    ASSERT_TRUE(question.text.starts_with(bos));
    const auto ids = nano().tokenizer().encode(question.text.substr(bos.size()), {.special_tokens = true});
    ASSERT_TRUE(ids.ok()) << ids.error().describe();
    EXPECT_EQ(*ids, question.ids) << question.id;
    const auto text = nano().tokenizer().decode(question.ids);
    ASSERT_TRUE(text.ok()) << text.error().describe();
    EXPECT_EQ(*text, question.text) << question.id;
  }
}

}  // namespace
}  // namespace lfm::test
