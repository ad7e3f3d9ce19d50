// Expectations about results.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::test {

// The result is an error of that code whose description holds `says`.
template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, std::string_view says) {
  ASSERT_FALSE(result.ok()) << "no error, expected one that says '" << says << "'";
  EXPECT_STREQ(to_string(result.error().code), to_string(code)) << result.error().describe();
  EXPECT_NE(result.error().describe().find(says), std::string::npos)
      << "'" << result.error().describe() << "' doesn't say '" << says << "'";
}

template <typename T>
void expect_ok(const Result<T>& result) {
  EXPECT_TRUE(result.ok()) << result.error().describe();
}

}  // namespace lfm::test
