#include "lfm/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace lfm {
namespace {

// This file is built with LFM_RESULT_ASSERTIONS, as applications without NDEBUG are.
TEST(ResultDeathTest, TheValueOfAnErrorSaysWhichErrorItIs) {
  Result<std::string> wrong = Error{ErrorCode::kLimit, "8192 tokens are too many", "context_tokens"};
  EXPECT_DEATH((void)*wrong, "context_tokens: 8192 tokens are too many");
  EXPECT_DEATH((void)wrong->size(), "context_tokens: 8192 tokens are too many");
  EXPECT_DEATH((void)std::as_const(wrong).value(), "8192 tokens");
  EXPECT_DEATH((void)std::move(wrong).value(), "8192 tokens");
}

TEST(Result, HasItsValue) {
  Result<std::unique_ptr<int>> right = std::make_unique<int>(5);
  ASSERT_TRUE(right.ok());
  EXPECT_EQ(**right, 5);
  EXPECT_EQ(*right->get(), 5);
  EXPECT_EQ(*std::move(right).value(), 5);
}

}  // namespace
}  // namespace lfm
