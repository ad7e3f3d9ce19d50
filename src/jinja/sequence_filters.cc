// Filters of lists, mappings and strings as sequences.
#include <algorithm>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/functions.h"
#include "jinja/operate.h"
#include "jinja/unicode.h"

namespace lfm::jinja {
namespace {

Result<Value> length(Machine&, const Value& input, const Given&) {
  const auto count = [](std::size_t n, Origin origin) { return Value::integer(static_cast<std::int64_t>(n), origin); };
  switch (input.kind()) {
    case Kind::kUndefined:
      return Value::integer(0);
    case Kind::kString:
      return count(code_points(input.bytes()), input.text().has_data() ? Origin::kData : Origin::kTemplate);
    case Kind::kList:
      return count(input.items().size(), Origin::kTemplate);
    case Kind::kDict:
      return count(input.dict().members.size(), Origin::kTemplate);
    default:
      return failure(std::string("a '") + type_name(input) + "' has no length");
  }
}

Result<Value> first(Machine& machine, const Value& input, const Given&) {
  if (input.is(Kind::kString)) return machine.item(input, Value::integer(0));
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  return items.items().empty() ? Value() : items.items().front();
}

Result<Value> last(Machine& machine, const Value& input, const Given&) {
  if (input.is(Kind::kString)) return machine.item(input, Value::integer(-1));
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  return items.items().empty() ? Value() : items.items().back();
}

Result<Value> to_list(Machine& machine, const Value& input, const Given&) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  return machine.budget().list(items.items());
}

Result<Value> reversed(Machine& machine, const Value& input, const Given&) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  std::vector<Value> out(items.items().rbegin(), items.items().rend());
  if (!input.is(Kind::kString)) return machine.budget().list(std::move(out), List::Form::kGenerator);
  Text text;
  for (const Value& each : out) text.append(each.text());
  return machine.budget().string(std::move(text));
}

Result<Value> pairs(Machine& machine, const Value& input, const Given&) {
  std::vector<Value> out;
  if (!input.is(Kind::kUndefined) && !input.is(Kind::kDict)) return failure("items of what is no mapping");
  if (input.is(Kind::kDict)) {
    for (const auto& [key, value] : input.dict().members) {
      LFM_ASSIGN(Value pair, machine.budget().list({key, value}, List::Form::kTuple));
      out.push_back(std::move(pair));
    }
  }
  return machine.budget().list(std::move(out), List::Form::kGenerator);
}

Result<Value> sum(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  Value out = given[1].is(Kind::kUndefined) ? Value::integer(0) : given[1];
  for (const Value& item : items.items()) {
    Value value = item;
    if (!given[0].is(Kind::kUndefined) && !given[0].is(Kind::kNone)) {
      LFM_ASSIGN(value, member_of(machine, item, given[0]));
    }
    LFM_ASSIGN(out, operate(Operator::kAdd, out, value, machine.budget()));
  }
  return out;
}

Result<Value> batches(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  LFM_ASSIGN(const std::int64_t size, integer_of(given[0], 0));
  if (size < 1 || size > 100'000) return failure("batches of a size that isn't from 1 to 100000");
  const auto per_batch = static_cast<std::size_t>(size);
  std::vector<Value> out;
  for (std::size_t at = 0; at < items.items().size(); at += per_batch) {
    const auto begin = items.items().begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t count = std::min(per_batch, items.items().size() - at);
    std::vector<Value> batch(begin, begin + static_cast<std::ptrdiff_t>(count));
    if (!given[1].is(Kind::kUndefined) && !given[1].is(Kind::kNone)) batch.resize(per_batch, given[1]);
    LFM_ASSIGN(Value made, machine.budget().list(std::move(batch)));
    out.push_back(std::move(made));
  }
  return machine.budget().list(std::move(out), List::Form::kGenerator);
}

Result<Value> slices(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  LFM_ASSIGN(const std::int64_t wanted, integer_of(given[0], 0));
  if (wanted < 1 || wanted > 100'000) return failure("slices of a number that isn't from 1 to 100000");
  const auto count = static_cast<std::size_t>(wanted);
  const std::size_t each = items.items().size() / count, longer = items.items().size() % count;
  std::vector<Value> out;
  auto at = items.items().begin();
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = at + static_cast<std::ptrdiff_t>(each + (i < longer ? 1 : 0));
    std::vector<Value> slice(at, end);
    if (!given[1].is(Kind::kUndefined) && !given[1].is(Kind::kNone) && i >= longer) slice.push_back(given[1]);
    LFM_ASSIGN(Value made, machine.budget().list(std::move(slice)));
    out.push_back(std::move(made));
    at = end;
  }
  return machine.budget().list(std::move(out), List::Form::kGenerator);
}

constexpr Filter kSequenceFilters[] = {
    {"length", "", length},
    {"count", "", length},
    {"first", "", first},
    {"last", "", last},
    {"list", "", to_list},
    {"reverse", "", reversed},
    {"items", "", pairs},
    {"sum", "attribute start", sum},
    {"batch", "linecount fill_with", batches},
    {"slice", "slices fill_with", slices},
};

}  // namespace

std::span<const Filter> sequence_filters() noexcept {
  return kSequenceFilters;
}

}  // namespace lfm::jinja
