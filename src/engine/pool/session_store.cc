#include "engine/pool/session_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lfm::engine {
namespace {

// Whether all that a timeline holds can be had of the other one, but for the logits after its last token: those are a
// step away.
bool holds_all_of(const Timeline& other, const Timeline& line) {
  const std::size_t end = line.tokens.size();
  if (other.tokens.size() < end || other.common(line.tokens) < end) return false;
  return other.tokens.size() == end || other.snapshots.find(end).position + 1 >= end;
}

}  // namespace

SessionStore::Found SessionStore::find(std::span<const TokenId> tokens) {
  const std::lock_guard lock(mutex_);
  Found best;
  auto place = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const std::size_t reusable = entry->line->reusable(tokens);
    if (reusable == 0 || reusable < best.tokens) continue;
    // Of equals the shortest: a stem stays as long as anybody has use for it.
    if (reusable == best.tokens && entry->line->tokens.size() >= best.line->tokens.size()) continue;
    best = {entry->line, reusable};
    place = entry;
  }
  if (place != entries_.end()) entries_.splice(entries_.begin(), entries_, place);
  return best;
}

bool SessionStore::keep(Timeline line, Kind kind) {
  Entries gone, added;  // memory goes back to the system when nobody waits for it
  const std::lock_guard lock(mutex_);
  adopt(line);
  added.emplace_back(std::move(line), kind);
  if (const auto holder = holder_of(added.front()); holder != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, holder);
    return true;
  }
  count(added.front());
  drop_superfluous(added.front(), gone);
  entries_.splice(entries_.begin(), added);
  for (; bytes_ > most_bytes_; ++evicted_) drop(std::prev(entries_.end()), gone);
  return !entries_.empty();
}

bool SessionStore::keep_last(Timeline line) {
  Entries gone, added;
  const std::lock_guard lock(mutex_);
  adopt(line);
  added.emplace_back(std::move(line), Kind::kWhole);
  if (holder_of(added.front()) != entries_.end()) return true;
  count(added.front());
  entries_.splice(entries_.end(), added);
  if (bytes_ <= most_bytes_) return true;
  drop(std::prev(entries_.end()), gone);
  return false;
}

std::vector<std::shared_ptr<const Timeline>> SessionStore::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Timeline>> out;
  for (const Entry& entry : entries_) {
    const bool held = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
      return &other != &entry && holds_all_of(*other.line, *entry.line);
    });
    if (!held) out.push_back(entry.line);
  }
  return out;
}

void SessionStore::clear() {
  Entries gone;
  const std::lock_guard lock(mutex_);
  gone.swap(entries_);
  holders_.clear();
  bytes_ = 0;
}

SessionStore::Stats SessionStore::stats() const {
  const std::lock_guard lock(mutex_);
  return {entries_.size(), bytes_, evicted_};
}

// Equal tokens have equal bits, whoever read them.
void SessionStore::adopt(Timeline& line) const {
  const Timeline* most = nullptr;
  std::size_t alike = 0;
  for (const Entry& entry : entries_) {
    const std::size_t common = entry.line->common(line.tokens);
    if (common <= alike) continue;
    most = entry.line.get();
    alike = common;
  }
  if (most != nullptr) line.adopt(*most, alike);
}

// Who makes it superfluous to hold this one too. A stem stays beside what goes on from it, which may lose the state in
// which the stem ends.
SessionStore::Entries::iterator SessionStore::holder_of(const Entry& entry) {
  const Timeline& line = *entry.line;
  return std::find_if(entries_.begin(), entries_.end(), [&](Entry& other) {
    if (!holds_all_of(*other.line, line)) return false;
    if (other.line->tokens.size() > line.tokens.size()) return entry.kind == Kind::kWhole || other.kind == Kind::kStem;
    if (line.logits_valid && !other.line->logits_valid) return false;
    if (entry.kind == Kind::kStem) other.kind = Kind::kStem;
    return true;
  });
}

void SessionStore::drop_superfluous(Entry& by, Entries& gone) noexcept {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto one = entry++;
    const bool stem = one->kind == Kind::kStem;
    if (!holds_all_of(*by.line, *one->line)) continue;
    if (stem && one->line->tokens.size() < by.line->tokens.size()) continue;
    if (stem) by.kind = Kind::kStem;
    drop(one, gone);
  }
}

// Throws where there is no memory; then nothing was counted.
void SessionStore::count(const Entry& entry) {
  std::size_t counted = 0;
  try {
    for (const Timeline::Block& block : entry.blocks) {
      if (holders_[block.at]++ == 0) bytes_ += block.bytes;
      ++counted;
    }
  } catch (...) {
    discount(std::span(entry.blocks).first(counted));
    throw;
  }
  bytes_ += entry.line->own_bytes();
}

void SessionStore::discount(std::span<const Timeline::Block> blocks) noexcept {
  for (const Timeline::Block& block : blocks) {
    const auto held = holders_.find(block.at);
    if (--held->second > 0) continue;
    holders_.erase(held);
    bytes_ -= block.bytes;
  }
}

void SessionStore::drop(Entries::iterator entry, Entries& gone) noexcept {
  discount(entry->blocks);
  bytes_ -= entry->line->own_bytes();
  gone.splice(gone.end(), entries_, entry);
}

}  // namespace lfm::engine
