#include "constrain/regex/regex.h"

#include <algorithm>
#include <array>

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxExample = 4'096;  // bytes
constexpr std::size_t kManyNodes = 16'384;  // room for all that there may be is made at once then: to grow takes long

}  // namespace

RegexPool::RegexPool() {
  add({Kind::kNothing, false, false});
  add({Kind::kEmptyText, true, false});
  add({Kind::kNegate, true, false, kNothing});
}

RegexId RegexPool::add(const Node& node) {
  effort_.spend(1);
  auto hash = static_cast<std::uint32_t>(node.kind);
  for (const std::uint32_t word : {node.a, node.b, node.c, node.d}) hash = mixed(hash, word);
  const RegexId known = ids_.find(hash, [&](RegexId id) { return nodes_[id] == node; });
  return known != IdTable::kNone ? known : add(node, hash);
}

RegexId RegexPool::add(const Node& node, std::uint32_t hash) {
  if (nodes_.size() >= kMaxNodes) {
    overflown_ = true;
    return kNothing;
  }
  const auto id = static_cast<RegexId>(nodes_.size());
  if (id == kManyNodes) {
    nodes_.reserve(kMaxNodes);
    lists_.reserve(4 * kMaxNodes);
  }
  nodes_.push_back(node);
  ids_.add(hash, id);
  return id;
}

RegexId RegexPool::bytes(const ByteSet& set) {
  if (set.empty()) return kNothing;
  std::uint32_t hash = 0;
  for (const std::uint64_t word : set.words()) {
    hash = mixed(mixed(hash, static_cast<std::uint32_t>(word)), static_cast<std::uint32_t>(word >> 32));
  }
  std::uint32_t id = set_ids_.find(hash, [&](std::uint32_t known) { return sets_[known] == set; });
  if (id == IdTable::kNone) {
    id = static_cast<std::uint32_t>(sets_.size());
    sets_.push_back(set);
    set_ids_.add(hash, id);
  }
  return add({Kind::kBytes, false, false, id});
}

RegexId RegexPool::byte(unsigned char b) {
  return bytes(ByteSet::range(b, b));
}

RegexId RegexPool::range(unsigned char first, unsigned char last) {
  return bytes(ByteSet::range(first, last));
}

RegexId RegexPool::literal(std::string_view text) {
  if (text.empty()) return kEmptyText;
  if (text.size() == 1) return byte(static_cast<unsigned char>(text[0]));
  const std::size_t found = text.size() < 64 && arena_.size() < 4096 ? arena_.find(text) : std::string::npos;
  const std::size_t at = found != std::string::npos ? found : arena_.size();
  if (found == std::string::npos) arena_ += text;
  return add({Kind::kLiteral, false, false, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(text.size())});
}

RegexId RegexPool::one_of(std::vector<std::string> all) {
  effort_.spend(all.size() * 8);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.empty()) return kNothing;
  if (all.size() == 1) return literal(all[0]);
  const auto last = static_cast<std::uint32_t>(all.size());
  const auto [at, added] = table_ids_.emplace(std::move(all), static_cast<std::uint32_t>(tables_.size()));
  if (added) tables_.push_back(&at->first);
  return texts(at->second, 0, last, 0);
}

// Those of a sorted table from `first` to before `last`, of which `depth` bytes, the same in all, are matched.
RegexId RegexPool::texts(std::uint32_t table, std::uint32_t first, std::uint32_t last, std::uint32_t depth) {
  if (first == last) return kNothing;
  const std::string& text = (*tables_[table])[first];
  if (last - first == 1) return literal(std::string_view(text).substr(depth));
  return add({Kind::kTexts, text.size() == depth, false, table, first, last, depth});
}

RegexId RegexPool::concat(RegexId a, RegexId b) {
  if (a == kNothing || b == kNothing) return kNothing;
  if (a == kEmptyText) return b;
  if (b == kEmptyText) return a;
  if (a == kAnything && b == kAnything) return a;
  const Node left = nodes_[a];
  if (left.kind == Kind::kConcat) return concat(left.a, concat(left.b, b));
  return add({Kind::kConcat, left.empty && nodes_[b].empty, left.boolean || nodes_[b].boolean, a, b});
}

RegexId RegexPool::concat(std::initializer_list<RegexId> parts) {
  RegexId all = kEmptyText;
  for (auto part = std::rbegin(parts); part != std::rend(parts); ++part) all = concat(*part, all);
  return all;
}

RegexId RegexPool::list(Kind kind, std::vector<RegexId> parts) {
  effort_.spend(4 + parts.size() * 2);
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  if (parts.size() == 1) return parts[0];
  auto hash = static_cast<std::uint32_t>(kind);
  for (const RegexId part : parts) hash = mixed(hash, part);
  const RegexId known = ids_.find(
      hash, [&](RegexId id) { return nodes_[id].kind == kind && std::ranges::equal(this->parts(nodes_[id]), parts); });
  if (known != IdTable::kNone) return known;
  const bool either = kind == Kind::kEither;
  bool empty = !either;
  bool boolean = !either;
  for (const RegexId part : parts) {
    empty = either ? empty || nodes_[part].empty : empty && nodes_[part].empty;
    boolean = boolean || nodes_[part].boolean;
  }
  const auto at = static_cast<std::uint32_t>(lists_.size());
  lists_.insert(lists_.end(), parts.begin(), parts.end());
  return add({kind, empty, boolean, at, static_cast<std::uint32_t>(parts.size())}, hash);
}

RegexId RegexPool::either(std::vector<RegexId> given) {
  std::vector<RegexId> flat;
  ByteSet single;
  const auto take = [&](RegexId id) {
    if (nodes_[id].kind == Kind::kBytes) {
      single |= sets_[nodes_[id].a];
    } else if (id != kNothing) {
      flat.push_back(id);
    }
  };
  for (const RegexId id : given) {
    if (id == kAnything) return kAnything;
    if (nodes_[id].kind == Kind::kEither) {
      for (const RegexId part : parts(nodes_[id])) take(part);
    } else {
      take(id);
    }
  }
  if (!single.empty()) flat.push_back(bytes(single));
  if (flat.empty()) return kNothing;
  // The empty text adds nothing where another part matches it.
  if (std::any_of(flat.begin(), flat.end(), [&](RegexId p) { return p != kEmptyText && nodes_[p].empty; })) {
    std::erase(flat, RegexId{kEmptyText});
  }
  return list(Kind::kEither, std::move(flat));
}

RegexId RegexPool::both(std::vector<RegexId> given) {
  std::vector<RegexId> flat;
  for (const RegexId id : given) {
    if (id == kNothing) return kNothing;
    if (id == kAnything) continue;
    if (nodes_[id].kind == Kind::kBoth) {
      for (const RegexId part : parts(nodes_[id])) flat.push_back(part);
    } else {
      flat.push_back(id);
    }
  }
  merge_counts(flat);
  if (flat.empty()) return kAnything;
  if (std::find(flat.begin(), flat.end(), RegexId{kNothing}) != flat.end()) return kNothing;
  if (std::find(flat.begin(), flat.end(), RegexId{kEmptyText}) != flat.end()) {
    for (const RegexId id : flat)
      if (!nodes_[id].empty) return kNothing;
    return kEmptyText;
  }
  return list(Kind::kBoth, std::move(flat));
}

// Characters of two sets, one within the other, each so many times: together they are one such expression, and the
// states in which both are counted needn't be.
void RegexPool::merge_counts(std::vector<RegexId>& parts) {
  const auto characters_of = [this](RegexId id) -> const CodeSet* {
    const Node& n = nodes_[id];
    const auto found = n.kind == Kind::kRepeat ? characters_.find(n.a) : characters_.end();
    return found != characters_.end() ? &found->second : nullptr;
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t j = i + 1; j < parts.size();) {
      const CodeSet* const first = characters_of(parts[i]);
      const CodeSet* const second = characters_of(parts[j]);
      const bool first_within = first != nullptr && second != nullptr && is_within(*first, *second);
      if (!first_within && (first == nullptr || second == nullptr || !is_within(*second, *first))) {
        ++j;
        continue;
      }
      const Node a = nodes_[parts[i]], b = nodes_[parts[j]];
      const std::uint32_t min = std::max(a.b, b.b), max = std::min(a.c, b.c);
      parts[i] = min > max ? RegexId{kNothing} : repeat(first_within ? a.a : b.a, min, max);
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
}

RegexId RegexPool::characters(RegexId a, const CodeSet& set) {
  if (a != kNothing && !overflown_) characters_.emplace(a, set);
  return a;
}

std::optional<RegexPool::Counted> RegexPool::counted(RegexId a) const {
  const Node& n = nodes_[a];
  if (n.kind != Kind::kConcat) return std::nullopt;
  const Node& repeated = nodes_[n.a];
  if (repeated.kind != Kind::kRepeat || !characters_.contains(repeated.a)) return std::nullopt;
  return Counted{repeated.a, repeated.b, repeated.c, n.b};
}

RegexId RegexPool::negate(RegexId a) {
  if (a == kAnything) return kNothing;
  if (a == kNothing) return kAnything;
  if (nodes_[a].kind == Kind::kNegate) return nodes_[a].a;
  return add({Kind::kNegate, !nodes_[a].empty, true, a});
}

RegexId RegexPool::repeat(RegexId a, std::uint32_t min, std::uint32_t max) {
  if (max == 0 || a == kEmptyText) return kEmptyText;
  if (a == kNothing) return min == 0 ? kEmptyText : kNothing;
  if (min == 1 && max == 1) return a;
  const Node& inner = nodes_[a];
  if (inner.empty) min = 0;
  if (inner.kind == Kind::kRepeat && inner.b == 0 && inner.c == kNoMax && (max == kNoMax || inner.empty)) return a;
  return add({Kind::kRepeat, min == 0, inner.boolean, a, min, max});
}

RegexId RegexPool::multiple_of(std::uint32_t divisor, std::uint32_t remainder) {
  return add({Kind::kMultiple, remainder == 0, false, divisor, remainder});
}

RegexPool::Live RegexPool::live_parts(RegexId a, std::vector<RegexId>& out) const {
  const Node& n = nodes_[a];
  switch (n.kind) {
    case Kind::kEither:
      out.assign(parts(n).begin(), parts(n).end());
      return Live::kAny;
    case Kind::kConcat:
      out = {n.a, n.b};
      return Live::kAll;
    case Kind::kRepeat:
      out = {n.a};
      return Live::kAll;
    case Kind::kBoth:
      out.assign(parts(n).begin(), parts(n).end());
      return Live::kSearch;
    default:
      return Live::kSearch;
  }
}

bool RegexPool::example(RegexId a, std::string& out) const {
  const Node& n = nodes_[a];
  if (n.empty) return true;
  switch (n.kind) {
    case Kind::kBytes: {
      out += static_cast<char>(sets_[n.a].first());
      return true;
    }
    case Kind::kLiteral:
      out.append(arena_, n.a, n.b);
      return true;
    case Kind::kTexts:
      out.append((*tables_[n.a])[n.b], n.d);
      return true;
    case Kind::kConcat:
      return example(n.a, out) && example(n.b, out);
    case Kind::kEither: {
      for (const RegexId part : parts(n)) {
        if (nodes_[part].kind == Kind::kBytes) return example(part, out);
      }
      std::string best;
      bool found = false;
      for (const RegexId part : parts(n)) {
        std::string text;
        if (!example(part, text) || (found && text.size() >= best.size())) continue;
        found = true;
        best = std::move(text);
      }
      out += best;
      return found;
    }
    case Kind::kRepeat: {
      std::string text;
      if (!example(n.a, text) || text.size() * n.b > kMaxExample) return false;
      for (std::uint32_t i = 0; i < n.b; ++i) out += text;
      return true;
    }
    default:
      return false;
  }
}

}  // namespace lfm::constrain
