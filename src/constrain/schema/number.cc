#include "constrain/schema/number.h"

#include <algorithm>
#include <string_view>

namespace lfm::constrain {
namespace {

constexpr std::uint32_t kExactDigits = 15;  // that any binary fraction of 64 bits holds
constexpr std::uint32_t kWholeOfFractions = 9;  // digits before the point of what is no integer, if no bound has more

class Numbers {
 public:
  Numbers(RegexPool& pool, const NumberSpec& spec) : pool_(pool), spec_(spec) {
    if (!spec.integers) whole_digits_ = kWholeOfFractions;
    for (const auto& bound : {spec.min, spec.max}) {
      if (!bound) continue;
      const auto whole = static_cast<std::uint32_t>(bound->value.whole.size());
      const auto fraction = static_cast<std::uint32_t>(bound->value.fraction.size());
      whole_digits_ = std::max(whole_digits_, whole + 1);
      const std::uint32_t exact = std::max(fraction, kExactDigits > whole ? kExactDigits - whole : 1);
      fraction_digits_ = bounded_ ? std::min(fraction_digits_, exact) : exact;
      bounded_ = true;
    }
    for (const auto& bound : {spec.min, spec.max}) {
      if (bound) bound_fraction_ = std::max(bound_fraction_, static_cast<std::uint32_t>(bound->value.fraction.size()));
    }
    fraction_digits_ = std::max(fraction_digits_, bound_fraction_);
    if (spec.integers) return;
    const std::uint32_t whole = whole_digits_ + 2;  // one more before the point, and one that isn't 0 behind it
    zeros_ = std::max(kExactDigits > whole ? kExactDigits - whole : 0, bound_fraction_);
  }

  RegexId build() {
    RegexId all = signed_numbers(any_magnitude(), any_magnitude(true));
    if (spec_.min) all = pool_.both({all, above(*spec_.min)});
    if (spec_.max) all = pool_.both({all, below(*spec_.max)});
    if (spec_.multiple_of > 1) {
      const RegexId digits = pool_.both({pool_.multiple_of(spec_.multiple_of), any_whole()});
      all = pool_.both({all, pool_.concat(pool_.optional(pool_.byte('-')), digits)});
    }
    return all;
  }

  bool bounded() const noexcept { return bounded_; }

  RegexId any_whole() {
    return pool_.either({pool_.byte('0'), pool_.concat(pool_.range('1', '9'), digits(0, whole_digits_ - 1))});
  }

  RegexId digits(std::uint32_t min, std::uint32_t max) { return pool_.repeat(pool_.range('0', '9'), min, max); }

 private:
  // Texts of digits behind a point, none at all included; those that the spec wants.
  RegexId fraction(RegexId digits_wanted) {
    std::vector<RegexId> all;
    const RegexId some_nonzero = pool_.concat(
        {digits(0, std::min(zeros_, fraction_digits_)), pool_.range('1', '9'), digits(0, fraction_digits_)});
    if (spec_.integers && pool_.matches_empty(digits_wanted)) all.push_back(RegexPool::kEmptyText);
    if (spec_.fractions) {
      RegexId behind = pool_.both({digits_wanted, digits(1, fraction_digits_)});
      if (!spec_.integers) behind = pool_.both({behind, some_nonzero});
      if (spec_.one_spelling)
        behind = pool_.both({behind, pool_.concat(digits(0, fraction_digits_), pool_.range('1', '9'))});
      all.push_back(pool_.concat(pool_.byte('.'), behind));
    }
    return pool_.either(std::move(all));
  }

  RegexId any_fraction() { return digits(0, fraction_digits_); }

  RegexId any_magnitude(bool negative = false) {
    RegexId all = pool_.concat(any_whole(), fraction(any_fraction()));
    // Integers and numbers with one spelling have no "-0".
    if (negative && (!spec_.fractions || spec_.one_spelling || spec_.multiple_of > 0)) {
      all = pool_.both({all, pool_.negate(pool_.byte('0'))});
    }
    return all;
  }

  RegexId signed_numbers(RegexId positive, RegexId negative) {
    return pool_.either({positive, pool_.concat(pool_.byte('-'), negative)});
  }

  // Digits of a fraction, those of 0.F or more (more only, if exclusive).
  RegexId fraction_above(std::string_view f, bool exclusive) {
    const RegexId rest = digits(0, fraction_digits_);
    if (f.empty()) {
      return exclusive ? pool_.concat({pool_.star(pool_.byte('0')), pool_.range('1', '9'), rest}) : rest;
    }
    std::vector<RegexId> all;
    if (f[0] < '9') all.push_back(pool_.concat(pool_.range(static_cast<unsigned char>(f[0] + 1), '9'), rest));
    all.push_back(pool_.concat(pool_.byte(static_cast<unsigned char>(f[0])), fraction_above(f.substr(1), exclusive)));
    return pool_.either(std::move(all));
  }

  RegexId fraction_below(std::string_view f, bool exclusive) {
    if (f.empty()) return exclusive ? RegexPool::kNothing : pool_.star(pool_.byte('0'));
    std::vector<RegexId> all = {RegexPool::kEmptyText};
    if (f[0] > '0') {
      all.push_back(pool_.concat(pool_.range('0', static_cast<unsigned char>(f[0] - 1)), digits(0, fraction_digits_)));
    }
    all.push_back(pool_.concat(pool_.byte(static_cast<unsigned char>(f[0])), fraction_below(f.substr(1), exclusive)));
    return pool_.either(std::move(all));
  }

  // As many digits, but a larger (or smaller) number.
  RegexId same_length(std::string_view w, bool larger, bool first) {
    if (w.empty()) return RegexPool::kNothing;
    std::vector<RegexId> all;
    const auto rest = static_cast<std::uint32_t>(w.size() - 1);
    const char least = first && rest > 0 ? '1' : '0';
    if (larger && w[0] < '9') {
      all.push_back(pool_.concat(pool_.range(static_cast<unsigned char>(w[0] + 1), '9'), digits(rest, rest)));
    }
    if (!larger && w[0] > least) {
      all.push_back(pool_.concat(pool_.range(static_cast<unsigned char>(least), static_cast<unsigned char>(w[0] - 1)),
                                 digits(rest, rest)));
    }
    all.push_back(pool_.concat(pool_.byte(static_cast<unsigned char>(w[0])), same_length(w.substr(1), larger, false)));
    return pool_.either(std::move(all));
  }

  RegexId magnitude_above(const Bound& bound) {
    const auto length = static_cast<std::uint32_t>(bound.value.whole.size());
    const RegexId longer = pool_.concat(pool_.range('1', '9'), digits(length, whole_digits_));
    const RegexId whole = pool_.either({longer, same_length(bound.value.whole, true, true)});
    return pool_.either({pool_.concat(whole, fraction(any_fraction())),
                         pool_.concat(pool_.literal(bound.value.whole),
                                      fraction(fraction_above(bound.value.fraction, bound.exclusive)))});
  }

  RegexId magnitude_below(const Bound& bound) {
    const auto length = static_cast<std::uint32_t>(bound.value.whole.size());
    std::vector<RegexId> whole = {same_length(bound.value.whole, false, true)};
    if (length > 1) {
      whole.push_back(pool_.byte('0'));
      whole.push_back(pool_.concat(pool_.range('1', '9'), digits(0, length - 2)));
    }
    return pool_.either({pool_.concat(pool_.either(std::move(whole)), fraction(any_fraction())),
                         pool_.concat(pool_.literal(bound.value.whole),
                                      fraction(fraction_below(bound.value.fraction, bound.exclusive)))});
  }

  RegexId above(const Bound& bound) {
    if (!bound.value.negative) return magnitude_above(bound);  // -0 isn't needed
    return signed_numbers(any_magnitude(), magnitude_below(bound));
  }

  RegexId below(const Bound& bound) {
    if (bound.value.negative) return pool_.concat(pool_.byte('-'), magnitude_above(bound));
    const bool zero_out = bound.exclusive && bound.value == Decimal{};
    Bound above_zero = {Decimal{}, true};
    return signed_numbers(magnitude_below(bound), zero_out ? magnitude_above(above_zero) : any_magnitude());
  }

  RegexPool& pool_;
  const NumberSpec& spec_;
  std::uint32_t whole_digits_ = kNumberDigits;
  std::uint32_t fraction_digits_ = kNumberDigits;
  std::uint32_t bound_fraction_ = 0;  // digits of the bounds
  // Behind the point of what is no integer, so few that a reader with binary fractions sees that it is none.
  std::uint32_t zeros_ = kNumberDigits;
  bool bounded_ = false;
};

}  // namespace

RegexId number_regex(RegexPool& pool, const NumberSpec& spec) {
  if (!spec.integers && !spec.fractions) return RegexPool::kNothing;
  NumberSpec wanted = spec;
  if (spec.multiple_of > 0) wanted.fractions = false;
  if (!wanted.integers && !wanted.fractions) return RegexPool::kNothing;
  Numbers numbers(pool, wanted);
  const bool exponents = wanted.integers && wanted.fractions && !numbers.bounded() && !wanted.one_spelling;
  if (!exponents) return numbers.build();
  const RegexId point = pool.concat(pool.byte('.'), numbers.digits(1, kNumberDigits));
  const RegexId e = pool.either({pool.byte('e'), pool.byte('E')});
  const RegexId sign = pool.either({pool.byte('+'), pool.byte('-')});
  return pool.concat({pool.optional(pool.byte('-')), numbers.any_whole(), pool.optional(point),
                      pool.optional(pool.concat({e, pool.optional(sign), numbers.digits(1, 2)}))});
}

}  // namespace lfm::constrain
