#include "constrain/dfa.h"

#include <algorithm>

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxSearched = 200'000;  // expressions looked at to find out which match nothing

}  // namespace

Dfa::Dfa() {
  states_.push_back({RegexPool::kNothing, false, true, 0});
  rows_.emplace_back().fill(kDead);
  ids_.emplace(RegexPool::kNothing, kDead);
}

Dfa::State Dfa::start(RegexId regex) {
  return is_live(regex) ? state_of(regex) : kDead;
}

Dfa::State Dfa::state_of(RegexId regex) {
  const auto [at, added] = ids_.emplace(regex, static_cast<State>(states_.size()));
  if (!added) return at->second;
  if (states_.size() >= kMaxStates) {
    ids_.erase(at);
    failed_ = true;
    return kDead;
  }
  states_.push_back({regex, pool_.matches_empty(regex)});
  rows_.emplace_back();
  return static_cast<State>(states_.size() - 1);
}

void Dfa::fill(State state) {
  std::array<std::uint8_t, 256> of;
  pool_.classes(states_[state].regex, of);
  std::array<State, 256> by_class;
  std::array<bool, 256> known{};
  std::array<State, 256> row;
  for (std::size_t b = 0; b < 256; ++b) {
    const std::uint8_t c = of[b];
    if (!known[c]) {
      by_class[c] = start(pool_.derivative(states_[state].regex, static_cast<unsigned char>(b)));
      known[c] = true;
    }
    row[b] = by_class[c];
  }
  rows_[state] = row;
  states_[state].filled = true;
}

bool Dfa::is_live(RegexId regex) {
  if (regex == RegexPool::kNothing) return false;
  if (!pool_.is_boolean(regex) || pool_.matches_empty(regex)) return true;
  if (const auto found = live_.find(regex); found != live_.end()) return found->second;

  // Breadth first, to the nearest expression that is known to match something.
  struct Seen {
    RegexId regex;
    std::size_t from;
  };
  std::vector<Seen> seen = {{regex, 0}};
  std::unordered_map<RegexId, bool> here = {{regex, true}};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    std::array<std::uint8_t, 256> of;
    const std::size_t count = pool_.classes(seen[i].regex, of);
    std::vector<bool> known(count, false);
    for (std::size_t b = 0; b < 256; ++b) {
      if (known[of[b]]) continue;
      known[of[b]] = true;
      const RegexId next = pool_.derivative(seen[i].regex, static_cast<unsigned char>(b));
      if (next == RegexPool::kNothing) continue;
      const auto found = live_.find(next);
      if (found != live_.end() && !found->second) continue;
      if (found != live_.end() || pool_.matches_empty(next) || !pool_.is_boolean(next)) {
        live_[next] = true;
        for (std::size_t at = i;; at = seen[at].from) {
          live_[seen[at].regex] = true;
          if (at == 0) return true;
        }
      }
      if (here.emplace(next, true).second) seen.push_back({next, i});
    }
    if (++searched_ > kMaxSearched || pool_.overflown()) {
      failed_ = true;
      return false;
    }
  }
  for (const Seen& dead : seen) live_[dead.regex] = false;
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
