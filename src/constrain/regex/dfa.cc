#include "constrain/regex/dfa.h"

#include <algorithm>
#include <unordered_set>

namespace lfm::constrain {
namespace {

constexpr std::size_t kManyStates = 4'096;  // room for all that there may be is made at once then: to grow takes long
constexpr std::size_t kMaxSearched = 200'000;  // expressions looked at to find out which match nothing

}  // namespace

Dfa::Dfa() {
  states_.push_back({RegexPool::kNothing, false, 0});
  rows_.emplace_back().fill(kDead);
}

Dfa::State Dfa::start(RegexId regex) {
  return is_live(regex) ? state_of(regex) : kDead;
}

Dfa::State Dfa::state_of(RegexId regex) {
  if (regex == RegexPool::kNothing) return kDead;
  if (regex >= ids_.size()) ids_.resize(regex + 1 + regex / 2);
  if (ids_[regex] != kDead) return ids_[regex];
  if (states_.size() >= kMaxStates) {
    failed_ = true;
    return kDead;
  }
  if (states_.size() == kManyStates) states_.reserve(kMaxStates);
  ids_[regex] = static_cast<State>(states_.size());
  states_.push_back({regex, pool_.matches_empty(regex)});
  rows_.emplace_back().fill(kNew);
  return ids_[regex];
}

// Where the byte leads to, and all others of its class.
Dfa::State Dfa::find(State state, unsigned char byte) {
  pool_.effort().spend(8);
  const RegexId regex = states_[state].regex;
  Row& row = rows_[state];
  if (row[byte] == kNew) {
    pool_.classes(regex, classes_);
    std::uint16_t mark = kFirstClass;
    for (const ByteSet& bytes : classes_) {
      bytes.each([&](unsigned char b) { row[b] = mark; });
      ++mark;
    }
  }
  const std::uint16_t mark = row[byte];
  const State to = start(pool_.derivative(regex, byte));
  std::replace(row.begin(), row.end(), mark, static_cast<std::uint16_t>(to));
  return to;
}

bool Dfa::is_live(RegexId regex) {
  if (regex == RegexPool::kNothing) return false;
  if (!pool_.is_boolean(regex) || pool_.matches_empty(regex)) return true;
  if (const Live known = known_live(regex); known != Live::kUnknown) return known == Live::kYes;
  // Of what isn't "and" or "not" itself the parts tell.
  std::vector<RegexId> parts;
  const RegexPool::Live how = pool_.live_parts(regex, parts);
  if (how == RegexPool::Live::kSearch) return search(regex, parts);
  const bool any = how == RegexPool::Live::kAny;
  const bool live = any ? std::any_of(parts.begin(), parts.end(), [this](RegexId part) { return is_live(part); })
                        : std::all_of(parts.begin(), parts.end(), [this](RegexId part) { return is_live(part); });
  if (!failed()) set_live(regex, live);
  return live;
}

void Dfa::set_live(RegexId regex, bool live) {
  if (regex >= live_.size()) live_.resize(regex + 1 + regex / 2);
  live_[regex] = live ? Live::kYes : Live::kNo;
}

bool Dfa::search(RegexId regex, const std::vector<RegexId>& parts) {
  // A text of one of the parts may be one of all of them.
  for (const RegexId part : parts) {
    std::string text;
    if (!pool_.example(part, text)) continue;
    std::vector<RegexId> path = {regex};
    for (const char c : text) path.push_back(pool_.derivative(path.back(), static_cast<unsigned char>(c)));
    if (!pool_.matches_empty(path.back())) continue;
    for (const RegexId at : path) set_live(at, true);
    return true;
  }

  // Breadth first, to the nearest expression that is known to match something.
  struct Reached {
    RegexId regex;
    std::size_t from;
  };
  std::vector<Reached> seen = {{regex, 0}};
  std::unordered_set<RegexId> here = {regex};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    pool_.classes(seen[i].regex, classes_);
    for (const ByteSet& bytes : classes_) {
      const RegexId next = pool_.derivative(seen[i].regex, bytes.first());
      if (next == RegexPool::kNothing) continue;
      const Live known = known_live(next);
      if (known == Live::kNo) continue;
      if (known == Live::kYes || pool_.matches_empty(next) || !pool_.is_boolean(next)) {
        set_live(next, true);
        for (std::size_t at = i;; at = seen[at].from) {
          set_live(seen[at].regex, true);
          if (at == 0) return true;
        }
      }
      if (here.insert(next).second) seen.push_back({next, i});
    }
    if (++searched_ > kMaxSearched || failed()) {
      failed_ = true;
      return false;
    }
  }
  for (const Reached& dead : seen) set_live(dead.regex, false);
  return false;
}

std::uint32_t Dfa::matches_left(State state) {
  if (states_[state].left < kBusy) return states_[state].left;
  // Depth first without recursion: a state met again on the way to itself goes on for ever.
  struct Level {
    State state;
    std::size_t byte = 0;
    std::uint64_t sum = 0;
  };
  std::vector<Level> levels = {{state}};
  states_[state].left = kBusy;
  levels[0].sum = accepts(state) ? 1 : 0;
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.byte == 256 || level.sum >= kMany) {
      const auto sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(level.sum, kMany));
      states_[level.state].left = sum;
      levels.pop_back();
      if (!levels.empty()) levels.back().sum += sum;
      continue;
    }
    if (level.byte == 0) pool_.effort().spend(16);
    const State to = next(level.state, static_cast<unsigned char>(level.byte++));
    if (failed()) {
      for (const Level& open : levels) states_[open.state].left = kUnknown;
      return kMany;
    }
    const std::uint32_t left = states_[to].left;
    if (left == kBusy) {
      level.sum = kMany;
    } else if (left != kUnknown) {
      level.sum += left;
    } else {
      states_[to].left = kBusy;
      levels.push_back({to, 0, accepts(to) ? 1u : 0u});
    }
  }
  return states_[state].left;
}

}  // namespace lfm::constrain
