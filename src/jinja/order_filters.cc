// Filters that sort, and that tell what is equal.
#include <algorithm>
#include <optional>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/functions.h"
#include "jinja/strings.h"

namespace lfm::jinja {
namespace {

struct Keyed {
  Value key;
  Value item;
};

// The items, each with what it is compared by: a member where one is given, in small letters unless case matters.
Result<std::vector<Keyed>> keyed(Machine& machine, const Value& input, const Value& attribute, const Value& cased) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  std::vector<Keyed> out;
  for (const Value& item : items.items()) {
    Value key = item;
    if (!attribute.is(Kind::kUndefined) && !attribute.is(Kind::kNone)) {
      LFM_ASSIGN(key, member_of(machine, item, attribute));
    }
    if (key.is(Kind::kString) && !truth(cased)) {
      LFM_ASSIGN(key, machine.budget().string(lower(key.text())));
    }
    out.push_back({std::move(key), item});
  }
  return out;
}

Status sort_keyed(std::vector<Keyed>& items, bool backwards, Budget& budget) {
  std::optional<Error> wrong;
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    const auto sign = order(a.key, b.key, budget);
    if (!sign.ok()) wrong = sign.error();
    return sign.ok() && (backwards ? *sign > 0 : *sign < 0);
  });
  if (wrong) return *wrong;
  return budget.check();
}

Result<Value> items_of(std::vector<Keyed> items, Budget& budget, List::Form form = List::Form::kList) {
  std::vector<Value> out;
  out.reserve(items.size());
  for (Keyed& each : items) out.push_back(std::move(each.item));
  return budget.list(std::move(out), form);
}

Result<Value> sorted(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(std::vector<Keyed> items, keyed(machine, input, given[2], given[1]));
  LFM_TRY(sort_keyed(items, truth(given[0]), machine.budget()));
  return items_of(std::move(items), machine.budget());
}

Result<Value> unique(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(std::vector<Keyed> items, keyed(machine, input, given[1], given[0]));
  std::vector<Keyed> out;
  for (Keyed& each : items) {
    LFM_TRY(machine.budget().check());
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const Keyed& other) { return equal(other.key, each.key, machine.budget()); });
    if (!known) out.push_back(std::move(each));
  }
  return items_of(std::move(out), machine.budget(), List::Form::kGenerator);
}

template <bool largest>
Result<Value> extreme(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const std::vector<Keyed> items, keyed(machine, input, given[1], given[0]));
  const Keyed* best = nullptr;
  for (const Keyed& each : items) {
    if (best != nullptr) {
      LFM_ASSIGN(const int sign, order(each.key, best->key, machine.budget()));
      if (largest ? sign <= 0 : sign >= 0) continue;
    }
    best = &each;
  }
  return best == nullptr ? Value() : best->item;
}

Result<Value> sorted_pairs(Machine& machine, const Value& input, const Given& given) {
  if (!input.is(Kind::kDict)) return failure("dictsort of what is no mapping");
  const std::string_view by = given[1].is(Kind::kString) ? given[1].bytes() : "key";
  if (by != "key" && by != "value") return failure("dictsort is by \"key\" or \"value\"");
  std::vector<Value> pairs;
  for (const auto& [key, value] : input.dict().members) {
    LFM_ASSIGN(Value pair, machine.budget().list({key, value}, List::Form::kTuple));
    pairs.push_back(std::move(pair));
  }
  LFM_ASSIGN(const Value all, machine.budget().list(std::move(pairs)));
  LFM_ASSIGN(std::vector<Keyed> items, keyed(machine, all, Value::integer(by == "key" ? 0 : 1), given[0]));
  LFM_TRY(sort_keyed(items, truth(given[2]), machine.budget()));
  return items_of(std::move(items), machine.budget());
}

Result<Value> groups(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(std::vector<Keyed> items, keyed(machine, input, given[0], given[2]));
  for (Keyed& each : items) {
    if (each.key.is(Kind::kUndefined)) each.key = given[1];
  }
  LFM_TRY(sort_keyed(items, false, machine.budget()));
  std::vector<Value> out;
  for (std::size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    std::vector<Value> group;
    for (end = begin; end < items.size() && equal(items[begin].key, items[end].key, machine.budget()); ++end) {
      group.push_back(items[end].item);
    }
    LFM_TRY(machine.budget().check());
    LFM_ASSIGN(Value name, member_of(machine, group.front(), given[0]));
    if (name.is(Kind::kUndefined)) name = given[1];
    LFM_ASSIGN(Value members, machine.budget().list(std::move(group)));
    LFM_ASSIGN(Value pair, machine.budget().list({std::move(name), std::move(members)}, List::Form::kTuple));
    out.push_back(std::move(pair));
  }
  return machine.budget().list(std::move(out));
}

constexpr Filter kOrderFilters[] = {
    {"sort", "reverse case_sensitive attribute", sorted},    {"unique", "case_sensitive attribute", unique},
    {"min", "case_sensitive attribute", extreme<false>},     {"max", "case_sensitive attribute", extreme<true>},
    {"dictsort", "case_sensitive by reverse", sorted_pairs}, {"groupby", "attribute default case_sensitive", groups},
};

}  // namespace

std::span<const Filter> order_filters() noexcept {
  return kOrderFilters;
}

}  // namespace lfm::jinja
