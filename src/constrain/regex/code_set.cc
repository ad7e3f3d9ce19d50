#include "constrain/regex/code_set.h"

#include <algorithm>

namespace lfm::constrain {

CodeSet normalized(CodeSet set) {
  std::sort(set.begin(), set.end(), [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  CodeSet out;
  for (const CodeRange& range : set) {
    if (!out.empty() && range.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CodeSet complement(const CodeSet& set) {
  CodeSet out;
  std::uint32_t next = 0;
  for (const CodeRange& range : set) {
    if (range.first > next) out.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCode) out.push_back({next, kLastCode});
  return out;
}

bool is_within(const CodeSet& set, const CodeSet& others) {
  auto other = others.begin();
  return std::all_of(set.begin(), set.end(), [&](const CodeRange& range) {
    while (other != others.end() && other->last < range.first) ++other;
    return other != others.end() && other->first <= range.first && range.last <= other->last;
  });
}

}  // namespace lfm::constrain
