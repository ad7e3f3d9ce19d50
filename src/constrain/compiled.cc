#include "constrain/compiled.h"

namespace lfm::constrain {

std::shared_ptr<LexemeMasks> Compiled::masks(std::shared_ptr<const TokenTrie> trie) const {
  constexpr std::size_t kMaxEntries = 4;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_)
    if (entry.trie == trie) return entry.masks;
  if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
  auto masks = std::make_shared<LexemeMasks>(*grammar_, *trie);
  entries_.push_back({std::move(trie), masks});
  return masks;
}

}  // namespace lfm::constrain
