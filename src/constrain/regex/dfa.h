// A DFA over bytes whose states are made as they are met. State 0 is dead: nothing that comes can match any more.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "constrain/regex/regex.h"

namespace lfm::constrain {

class Dfa {
 public:
  using State = std::uint32_t;
  static constexpr State kDead = 0;
  static constexpr std::size_t kMaxStates = 60'000;
  static constexpr std::uint32_t kMany = 1 << 16;

  Dfa();

  RegexPool& pool() noexcept { return pool_; }

  // kDead where the expression matches no text at all.
  State start(RegexId regex);
  bool accepts(State state) const noexcept { return states_[state].accepts; }
  RegexId regex(State state) const noexcept { return states_[state].regex; }

  State next(State state, unsigned char byte) {
    const State to = rows_[state][byte];
    return to < kFirstClass ? to : find(state, byte);
  }

  // How many texts can follow to a match, kMany at most.
  std::uint32_t matches_left(State state);

  // Whether an expression matches any text. A search that would take too long makes the DFA fail.
  bool is_live(RegexId regex);

  // A limit was hit, of nodes, states, searching or effort; what comes is meaningless.
  bool failed() const noexcept { return failed_ || pool_.overflown(); }
  std::size_t states() const noexcept { return states_.size(); }

 private:
  struct Info {
    RegexId regex;
    bool accepts;
    std::uint32_t left = kUnknown;
  };
  static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
  static constexpr std::uint32_t kBusy = kUnknown - 1;

  // By the byte, where to. Where nobody came yet: kNew, or, where other bytes of the state are known, the byte's class.
  using Row = std::array<std::uint16_t, 256>;
  static constexpr std::uint16_t kNew = 65'535;
  static constexpr std::uint16_t kFirstClass = kNew - 256;
  static_assert(kMaxStates < kFirstClass);

  enum class Live : std::uint8_t { kUnknown, kYes, kNo };

  Live known_live(RegexId regex) const noexcept { return regex < live_.size() ? live_[regex] : Live::kUnknown; }
  void set_live(RegexId regex, bool live);
  bool search(RegexId regex, const std::vector<RegexId>& parts);
  State state_of(RegexId regex);
  State find(State state, unsigned char byte);

  RegexPool pool_;
  std::vector<Info> states_;
  std::deque<Row> rows_;    // never moved, which takes long
  std::vector<State> ids_;  // by the expression; kDead where there is no state
  std::vector<Live> live_;  // by the expression
  RegexPool::Classes classes_;
  std::size_t searched_ = 0;
  bool failed_ = false;
};

}  // namespace lfm::constrain
