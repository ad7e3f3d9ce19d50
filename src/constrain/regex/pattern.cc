#include "constrain/regex/pattern.h"

#include <algorithm>

namespace lfm::constrain {
namespace {

using Kind = PatternNode::Kind;

bool is_assertion(Kind kind) {
  return kind == Kind::kBegin || kind == Kind::kEnd || kind == Kind::kAhead || kind == Kind::kNotAhead;
}

bool has_assertion(const PatternNode& node) {
  return is_assertion(node.kind) ||
         std::any_of(node.parts.begin(), node.parts.end(), [](const auto& part) { return has_assertion(*part); });
}

// Whether it may match without taking a character.
bool can_be_empty(const PatternNode& node) {
  const auto empty = [](const auto& part) { return can_be_empty(*part); };
  switch (node.kind) {
    case Kind::kChars:
      return false;
    case Kind::kSequence:
      return std::all_of(node.parts.begin(), node.parts.end(), empty);
    case Kind::kChoice:
      return std::any_of(node.parts.begin(), node.parts.end(), empty);
    case Kind::kRepeat:
      return node.min == 0 || empty(node.parts[0]);
    default:
      return true;
  }
}

// Where in the text something begins, as far as "^" asks.
enum class Place : std::uint8_t { kBegin, kInside, kEither };

// Builds expressions from the end to the beginning: what assertions speak about is all that follows. Behind what a
// look-ahead finds any bytes may come, since what follows says itself what it is: then its "not" is nothing at once.
class Compiler {
 public:
  Compiler(RegexPool& pool, const Spelling& spelling)
      : pool_(pool), spelling_(spelling), any_text_(spelling.any_text(pool)) {}

  bool failed() const noexcept { return failed_; }
  RegexId any_text() const noexcept { return any_text_; }

  // The node and then `next`.
  RegexId build(const PatternNode& node, RegexId next, Place place) {
    switch (node.kind) {
      case Kind::kChars:
      case Kind::kRepeat:
        return pool_.concat(plain(node), next);
      case Kind::kSequence:
        return sequence(node, next, place);
      case Kind::kChoice: {
        if (!has_assertion(node)) return pool_.concat(plain(node), next);
        std::vector<RegexId> all;
        for (const auto& part : node.parts) all.push_back(build(*part, next, place));
        return pool_.either(std::move(all));
      }
      case Kind::kBegin:
        failed_ = failed_ || place == Place::kEither;
        return place == Place::kBegin ? next : RegexPool::kNothing;
      case Kind::kEnd:
        return pool_.matches_empty(next) ? RegexPool::kEmptyText : RegexPool::kNothing;
      case Kind::kAhead:
        return pool_.both({build(*node.parts[0], RegexPool::kAnything, place), next});
      case Kind::kNotAhead:
        return pool_.both({pool_.negate(build(*node.parts[0], RegexPool::kAnything, place)), next});
    }
    return RegexPool::kNothing;
  }

 private:
  RegexId sequence(const PatternNode& node, RegexId next, Place place) {
    std::vector<Place> places;
    for (const auto& part : node.parts) {
      places.push_back(place);
      if (is_assertion(part->kind)) continue;
      if (!can_be_empty(*part)) {
        place = Place::kInside;
      } else if (place == Place::kBegin) {
        place = Place::kEither;
      }
    }
    for (std::size_t i = node.parts.size(); i-- > 0;) next = build(*node.parts[i], next, places[i]);
    return next;
  }

  // Without assertions.
  RegexId plain(const PatternNode& node) {
    switch (node.kind) {
      case Kind::kChars:
        return spelling_.one_of(pool_, node.chars);
      case Kind::kSequence: {
        RegexId all = RegexPool::kEmptyText;
        for (std::size_t i = node.parts.size(); i-- > 0;) all = pool_.concat(plain(*node.parts[i]), all);
        return all;
      }
      case Kind::kChoice: {
        std::vector<RegexId> all;
        for (const auto& part : node.parts) all.push_back(plain(*part));
        return pool_.either(std::move(all));
      }
      case Kind::kRepeat:
        return pool_.repeat(plain(*node.parts[0]), node.min, node.max);
      default:
        failed_ = true;
        return RegexPool::kNothing;
    }
  }

  RegexPool& pool_;
  const Spelling& spelling_;
  RegexId any_text_;
  bool failed_ = false;
};

}  // namespace

Result<RegexId> Pattern::compile(RegexPool& pool, const Spelling& spelling, Extent extent) const {
  Compiler compiler(pool, spelling);
  RegexId regex;
  if (extent == Extent::kWhole) {
    regex = compiler.build(*root_, RegexPool::kEmptyText, Place::kBegin);
  } else {
    const RegexId any = compiler.any_text();
    const RegexId behind = extent == Extent::kLoosely ? RegexId{RegexPool::kAnything} : any;
    const RegexId begin = compiler.build(*root_, behind, Place::kBegin);
    const RegexId inside = compiler.build(*root_, behind, Place::kInside);
    const RegexId later = pool.concat({spelling.any_char(pool), any, inside});
    // Mostly the same, and simpler, as any text and then the pattern.
    regex = begin == inside ? pool.concat(any, begin) : pool.either({begin, later});
  }
  if (compiler.failed()) {
    return Error{ErrorCode::kUnsupported,
                 "an assertion within something repeated, or behind something that may be empty"};
  }
  if (pool.overflown()) return Error{ErrorCode::kLimit, "a pattern that is too large"};
  return regex;
}

}  // namespace lfm::constrain
