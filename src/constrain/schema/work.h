// What expanding a set of schemas has in hand.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "constrain/schema/compiler.h"

namespace lfm::constrain {

// The schemas by which another one is reached within the same value.
struct Chain {
  Term term;
  std::shared_ptr<const Chain> up;
  std::size_t length = 1;
};

struct Pending {
  Term term;
  std::shared_ptr<const Chain> chain;
};

struct SchemaCompiler::Work {
  std::vector<Pending> todo = {};  // the next one last
  std::set<Term> done = {};
  Alternative found = {};
  std::shared_ptr<const Chain> chain = nullptr;  // to the schema being applied
};

}  // namespace lfm::constrain
