// A file that is wrong in one place, and what has to be said about it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::test {

struct FileCase {
  std::string id;  // letters, digits and underscores
  std::function<void(GgufBuilder&)> change;
  ErrorCode code;
  std::string says;  // part of the error's description
};

inline void PrintTo(const FileCase& file_case, std::ostream* out) {
  *out << file_case.id;
}

inline std::string case_name(const testing::TestParamInfo<FileCase>& info) {
  return info.param.id;
}

}  // namespace lfm::test
