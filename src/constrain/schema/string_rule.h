// What is asked of a string.
#pragma once

#include <vector>

#include "constrain/schema/compiler.h"

namespace lfm::constrain {

struct SchemaCompiler::StringRule {
  std::uint32_t min = 0;
  std::uint32_t max = kNoLimit;
  std::vector<RegexId> patterns = {};      // that match the whole of it, as spelt
  std::vector<RegexId> not_patterns = {};  // none of which may

  bool is_free() const noexcept { return patterns.empty() && not_patterns.empty(); }
};

}  // namespace lfm::constrain
