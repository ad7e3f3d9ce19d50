// What a constraint allows, ready to be matched: values, and the objects and arrays they may be.
//
// A value's scalars are one expression, matched by the DFA. Objects and arrays are counted and ordered by the matcher,
// so that neither numbers of items nor properties make a grammar larger.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "constrain/regex/dfa.h"
#include "constrain/regex/spelling.h"

namespace lfm::constrain {

using NodeId = std::uint32_t;

inline constexpr std::uint32_t kNoLimit = ~std::uint32_t{0};
inline constexpr std::uint32_t kNever = ~std::uint32_t{0};  // the height of what no text is

// Levels of objects and arrays in what is generated, as many as the readers of calls take.
inline constexpr std::uint32_t kMaxLevels = 64;

// In which notation values are written.
struct Notation {
  std::vector<Spelling> spellings = {Spelling{}};  // of strings; any of them at any place
  bool python = false;                             // True, False and None besides JSON's words

  static Notation json() { return {}; }
  static Notation python_calls() { return {{Spelling{'\'', true}, Spelling{'"', true}}, true}; }
};

// A string of which only the length counts.
struct TextRule {
  std::uint8_t spelling = 0;
  std::uint32_t min = 0;
  std::uint32_t max = kNoLimit;
};

struct CallRule {
  std::string name;
  std::uint32_t object = 0;
};

struct Node {
  Dfa::State scalar = Dfa::kDead;
  std::vector<TextRule> texts = {};
  std::vector<std::uint32_t> objects = {};
  std::vector<std::uint32_t> arrays = {};
  std::vector<CallRule> calls = {};  // "name(" and an object of arguments
  std::uint32_t height = kNever;     // levels that its flattest value has
};

struct PropertyRule {
  std::string name = {};                // as it is
  std::vector<std::string> spelt = {};  // in each spelling, without quotes
  NodeId node = 0;
  bool required = false;
  std::optional<NodeId> wanted = std::nullopt;  // values with which it is the member that there must be; no `node` is
};

// Names that aren't those of properties, and their values.
struct RestRule {
  std::vector<Dfa::State> names = {};  // in each spelling, after the quote
  NodeId node = 0;
  std::optional<NodeId> wanted = std::nullopt;
  bool open = true;  // whatever a name begins with, any number of names can come of it
};

struct ObjectRule {
  bool arguments = false;  // name=value, in parentheses
  std::vector<PropertyRule> properties = {};
  std::vector<RestRule> rest = {};
  std::uint32_t min = 0;
  std::uint32_t max = kNoLimit;
  bool wants = false;  // a member that is wanted has to come
  std::uint32_t height = kNever;
  std::vector<std::uint32_t> required_from = {};  // how many of the properties from here on are required
  std::uint32_t rest_names = 0;                   // how many names the rest has, Dfa::kMany at most
};

// Items of which so many have to come. No item is both one of them and one of the others.
struct WantedItems {
  std::vector<NodeId> first = {};
  NodeId items = 0;
  std::uint32_t min = 0;
  std::uint32_t max = kNoLimit;

  bool any() const noexcept { return min > 0 || max != kNoLimit; }
};

struct ArrayRule {
  std::vector<NodeId> first = {};  // all items, or those that aren't wanted
  NodeId items = 0;
  WantedItems wanted = {};  // if any, with as many `first` as the rule
  std::uint32_t min = 0;
  std::uint32_t max = kNoLimit;
  bool unique = false;
  std::uint32_t height = kNever;
};

struct Grammar {
  Notation notation = {};
  std::vector<Node> nodes = {};
  std::vector<ObjectRule> objects = {};
  std::vector<ArrayRule> arrays = {};
  NodeId root = 0;
  bool is_json = false;         // of a schema, not of a pattern or of calls
  bool whole_fractions = true;  // 1.0 is an integer, which it isn't to the drafts before the sixth

  // Within a string of any text, after its quote, in each spelling.
  std::vector<Dfa::State> text_states = {};

  // Grows while texts are matched.
  Dfa dfa = {};
  std::mutex mutex = {};

  template <typename Items>
  static NodeId at(const Items& items, std::uint32_t index) {
    return index < items.first.size() ? items.first[index] : items.items;
  }

  // Whether an array with wanted items can end that has so many items, and so many of them wanted, where values may
  // have so many levels.
  bool can_end(const ArrayRule& array, std::uint32_t count, std::uint32_t wanted, std::uint32_t levels) const;

  // Works out text_states and heights, and takes out of the rules what no text can be.
  void prune();
};

}  // namespace lfm::constrain
