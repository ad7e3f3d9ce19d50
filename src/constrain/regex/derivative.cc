// What may follow a byte, and which bytes make no difference.
#include <algorithm>

#include "constrain/regex/regex.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kDerived = 32'768;      // a power of two
constexpr std::size_t kWorthDerived = 2'048;  // nodes

}  // namespace

// Bytes that no expression looked at so far tells apart.
class RegexPool::Partition {
 public:
  Partition(Classes& out, Effort& effort) : out_(out), effort_(effort) { out_.assign(1, ByteSet::all()); }

  void split(const ByteSet& set) {
    effort_.spend(1 + out_.size() / 4);
    for (std::size_t c = 0, count = out_.size(); c < count; ++c) {
      const ByteSet inside = out_[c] & set;
      if (inside.empty() || inside == out_[c]) continue;
      out_[c] = out_[c].without(inside);
      out_.push_back(inside);
    }
  }

  void split(unsigned char byte) { split(ByteSet::range(byte, byte)); }

 private:
  Classes& out_;
  Effort& effort_;
};

RegexId RegexPool::derivative(RegexId a, unsigned char b) {
  effort_.spend(1);
  if (effort_.is_over()) {
    overflown_ = true;
    return kNothing;
  }
  if (derived_.empty()) {
    if (nodes_.size() < kWorthDerived) return derive(a, b);
    derived_.resize(kDerived);
  }
  const std::uint32_t from = a << 8 | b;
  Derived& line = derived_[mixed(0, from) & (kDerived - 1)];
  if (line.from == from) return line.to;
  const RegexId to = derive(a, b);
  if (!overflown_) line = {from, to};
  return to;
}

RegexId RegexPool::derive(RegexId a, unsigned char b) {
  const Node n = nodes_[a];
  switch (n.kind) {
    case Kind::kNothing:
    case Kind::kEmptyText:
      return kNothing;
    case Kind::kBytes:
      return sets_[n.a].has(b) ? kEmptyText : kNothing;
    case Kind::kLiteral:
      if (static_cast<unsigned char>(arena_[n.a]) != b) return kNothing;
      if (n.b == 2) return byte(static_cast<unsigned char>(arena_[n.a + 1]));
      return add({Kind::kLiteral, false, false, n.a + 1, n.b - 1});
    case Kind::kTexts: {
      const auto& table = *tables_[n.a];
      const auto less = [&](const std::string& text, int byte) {
        return (text.size() == n.d ? -1 : static_cast<int>(static_cast<unsigned char>(text[n.d]))) < byte;
      };
      const auto first = std::lower_bound(table.begin() + n.b, table.begin() + n.c, int{b}, less);
      const auto last = std::lower_bound(first, table.begin() + n.c, int{b} + 1, less);
      return texts(n.a, static_cast<std::uint32_t>(first - table.begin()),
                   static_cast<std::uint32_t>(last - table.begin()), n.d + 1);
    }
    case Kind::kConcat: {
      const bool skip = nodes_[n.a].empty;
      const RegexId left = concat(derivative(n.a, b), n.b);
      return skip ? either({left, derivative(n.b, b)}) : left;
    }
    case Kind::kEither:
    case Kind::kBoth: {
      std::vector<RegexId> all;
      all.reserve(n.b);
      for (std::uint32_t i = 0; i < n.b; ++i) {
        const RegexId part = derivative(lists_[n.a + i], b);
        if (part == kNothing) {
          if (n.kind == Kind::kBoth) return kNothing;
          continue;
        }
        all.push_back(part);
      }
      return n.kind == Kind::kEither ? either(std::move(all)) : both(std::move(all));
    }
    case Kind::kNegate:
      return negate(derivative(n.a, b));
    case Kind::kRepeat:
      return concat(derivative(n.a, b), repeat(n.a, n.b == 0 ? 0 : n.b - 1, n.c == kNoMax ? kNoMax : n.c - 1));
    case Kind::kMultiple:
      if (b < '0' || b > '9') return kNothing;
      return multiple_of(n.a, static_cast<std::uint32_t>((std::uint64_t{n.b} * 10 + (b - '0')) % n.a));
  }
  return kNothing;
}

void RegexPool::collect(RegexId a, Partition& partition) {
  effort_.spend(1);
  if (effort_.is_over()) {
    overflown_ = true;
    return;
  }
  const Node& n = nodes_[a];
  switch (n.kind) {
    case Kind::kNothing:
    case Kind::kEmptyText:
      return;
    case Kind::kBytes:
      return partition.split(sets_[n.a]);
    case Kind::kLiteral:
      return partition.split(static_cast<unsigned char>(arena_[n.a]));
    case Kind::kTexts: {
      effort_.spend(n.c - n.b);
      ByteSet next;
      for (std::uint32_t i = n.b; i < n.c; ++i) {
        const std::string& text = (*tables_[n.a])[i];
        if (text.size() > n.d) next.add(static_cast<unsigned char>(text[n.d]));
      }
      next.each([&partition](unsigned char byte) { partition.split(byte); });
      return;
    }
    case Kind::kConcat:
      collect(n.a, partition);
      if (nodes_[n.a].empty) collect(n.b, partition);
      return;
    case Kind::kEither:
    case Kind::kBoth:
      for (const RegexId part : parts(n)) collect(part, partition);
      return;
    case Kind::kNegate:
    case Kind::kRepeat:
      return collect(n.a, partition);
    case Kind::kMultiple:
      for (unsigned char b = '0'; b <= '9'; ++b) partition.split(b);
      return partition.split(ByteSet::range('0', '9'));
  }
}

void RegexPool::classes(RegexId a, Classes& out) {
  Partition partition(out, effort_);
  collect(a, partition);
}

bool RegexPool::matches(RegexId a, std::string_view text) {
  for (const char c : text) a = derivative(a, static_cast<unsigned char>(c));
  return matches_empty(a);
}

}  // namespace lfm::constrain
