// Regular expressions over bytes, as nodes that are made once each: equal expressions have equal ids. With the
// derivative by a byte (Brzozowski) they are the states of a DFA themselves, and "and" and "not" cost nothing more.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "constrain/regex/byte_set.h"
#include "constrain/regex/code_set.h"
#include "constrain/regex/effort.h"
#include "constrain/regex/id_table.h"

namespace lfm::constrain {

using RegexId = std::uint32_t;

class RegexPool {
 public:
  static constexpr RegexId kNothing = 0;  // matches no text
  static constexpr RegexId kEmptyText = 1;
  static constexpr RegexId kAnything = 2;  // any bytes
  static constexpr std::uint32_t kNoMax = ~std::uint32_t{0};
  static constexpr std::size_t kMaxNodes = 400'000;

  RegexPool();

  RegexId bytes(const ByteSet& set);
  RegexId byte(unsigned char b);
  RegexId range(unsigned char first, unsigned char last);
  RegexId literal(std::string_view text);
  RegexId one_of(std::vector<std::string> texts);  // any number of them, at no cost while they are matched
  RegexId concat(RegexId a, RegexId b);
  RegexId concat(std::initializer_list<RegexId> parts);
  RegexId either(std::vector<RegexId> parts);
  RegexId both(std::vector<RegexId> parts);
  RegexId negate(RegexId a);
  RegexId repeat(RegexId a, std::uint32_t min, std::uint32_t max);
  RegexId star(RegexId a) { return repeat(a, 0, kNoMax); }
  RegexId optional(RegexId a) { return either({a, kEmptyText}); }
  RegexId multiple_of(std::uint32_t divisor, std::uint32_t remainder = 0);  // digits whose value, after that, divides

  // Remembers that an expression matches one character of the set, in the one spelling that it has.
  RegexId characters(RegexId a, const CodeSet& set);

  // An expression that is so many characters of a set and then another.
  struct Counted {
    RegexId character;
    std::uint32_t min, max;
    RegexId rest;
  };
  std::optional<Counted> counted(RegexId a) const;

  bool matches_empty(RegexId a) const noexcept { return nodes_[a].empty; }
  // Whether it holds "and" or "not", so that it may match nothing without being kNothing.
  bool is_boolean(RegexId a) const noexcept { return nodes_[a].boolean; }

  // Of an expression that is boolean: whether it matches any text if one of the parts does, if all of them do, or only
  // if there is one that all of them match.
  enum class Live : std::uint8_t { kAny, kAll, kSearch };
  Live live_parts(RegexId a, std::vector<RegexId>& parts) const;

  // Appends a text that it matches, a short one. False: none that is found by looking at its form.
  bool example(RegexId a, std::string& out) const;

  // What may follow the byte.
  RegexId derivative(RegexId a, unsigned char b);
  // Bytes of a class have the same derivative; every byte is in one.
  using Classes = std::vector<ByteSet>;
  void classes(RegexId a, Classes& out);

  bool matches(RegexId a, std::string_view text);

  // More nodes were asked for than kMaxNodes, or more effort than there is; results are meaningless from then on.
  bool overflown() const noexcept { return overflown_; }
  Effort& effort() noexcept { return effort_; }

 private:
  enum class Kind : std::uint8_t {
    kNothing,
    kEmptyText,
    kBytes,
    kLiteral,
    kTexts,
    kConcat,
    kEither,
    kBoth,
    kNegate,
    kRepeat,
    kMultiple,
  };
  struct Node {
    Kind kind;
    bool empty;
    bool boolean;
    std::uint32_t a = 0, b = 0, c = 0, d = 0;
    bool operator==(const Node&) const = default;
  };
  // What has been derived: a line holds the last one that came to it.
  struct Derived {
    std::uint32_t from = 0;  // the expression and the byte; 0 is none
    RegexId to = 0;
  };
  class Partition;

  RegexId add(const Node& node);
  RegexId add(const Node& node, std::uint32_t hash);
  RegexId list(Kind kind, std::vector<RegexId> parts);
  RegexId texts(std::uint32_t table, std::uint32_t first, std::uint32_t last, std::uint32_t depth);
  std::span<const RegexId> parts(const Node& n) const { return {lists_.data() + n.a, n.b}; }
  RegexId derive(RegexId a, unsigned char b);
  void collect(RegexId a, Partition& partition);
  void merge_counts(std::vector<RegexId>& parts);

  std::vector<Node> nodes_;
  IdTable ids_;
  std::vector<RegexId> lists_;
  std::vector<ByteSet> sets_;
  IdTable set_ids_;
  std::vector<Derived> derived_;  // none while there are few nodes
  std::string arena_;             // literals
  std::map<std::vector<std::string>, std::uint32_t> table_ids_;
  std::vector<const std::vector<std::string>*> tables_;  // keys of table_ids_
  std::unordered_map<RegexId, CodeSet> characters_;
  Effort effort_;
  bool overflown_ = false;
};

}  // namespace lfm::constrain
