// Constraints on what a random model says: whatever the sampler's settings, the answer is one that is allowed.
#include "lfm/constraint.h"

#include <gtest/gtest.h>

#include "tests/engine/tiny_engine.h"

namespace lfm {
namespace {

using test::TinyEngine;

struct Said {
  Finish finish;
  std::string text;
};

Said say(const TinyEngine& engine, const GenerateOptions& options) {
  Session session = engine.session();
  EXPECT_TRUE(session.append(test::random_tokens(5, 3)).ok());
  Said said;
  auto finish = session.generate(options, [&](const Piece& piece) {
    said.text += piece.text;
    return true;
  });
  EXPECT_TRUE(finish.ok()) << finish.error().describe();
  if (finish.ok()) said.finish = *finish;
  return said;
}

TEST(Constraint, AnswersAreWhatTheSchemaAllows) {
  const TinyEngine engine;
  const auto constraint = Constraint::from_json_schema(
      R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 6}, "age": {"type": "integer", "minimum": 0, "maximum": 130},
          "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "maxItems": 3}}, "required": ["name", "age"], "additionalProperties": false})");
  ASSERT_TRUE(constraint.ok()) << constraint.error().describe();
  std::size_t ended = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    GenerateOptions options;
    options.max_tokens = 200;
    options.constraint = *constraint;
    options.sampling = {.temperature = static_cast<float>(seed % 4) * 0.8f, .seed = seed};
    if (seed % 3 == 0) options.sampling.top_k = 5;
    const Said said = say(engine, options);
    if (said.finish.reason != FinishReason::kEnd) continue;
    ++ended;
    const auto verdict = constraint->check(said.text);
    ASSERT_TRUE(verdict.ok());
    EXPECT_TRUE(verdict->allowed) << said.text;
  }
  EXPECT_GT(ended, 30u);
}

TEST(Constraint, PatternsAndErrors) {
  const TinyEngine engine;
  GenerateOptions options;
  const auto pattern = Constraint::from_regex("(yes|no), [0-9]{3}");
  ASSERT_TRUE(pattern.ok());
  options.constraint = *pattern;
  const Said said = say(engine, options);
  EXPECT_EQ(said.finish.reason, FinishReason::kEnd);
  EXPECT_TRUE(pattern->check(said.text)->allowed) << said.text;

  options.ignore_end = true;
  Session session = engine.session();
  ASSERT_TRUE(session.append(test::random_tokens(5, 3)).ok());
  const auto refused = session.generate(options, nullptr);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().field, "ignore_end");

  EXPECT_EQ(Constraint::from_json_schema(R"({"contains": {}})").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(Constraint::from_regex("(").error().code, ErrorCode::kArgument);
}

}  // namespace
}  // namespace lfm
