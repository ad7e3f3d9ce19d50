// map(), select() and their like, whose arguments are those of another filter or test.
#include <algorithm>
#include <string>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/functions.h"
#include "jinja/operate.h"

namespace lfm::jinja {
namespace {

// All behind the first `n` by position.
Arguments rest_of(const Arguments& arguments, std::size_t n) {
  Arguments out;
  for (std::size_t i = n; i < arguments.list.size(); ++i) out.list.push_back(arguments.list[i]);
  out.named = arguments.named;
  return out;
}

Result<Value> map(Machine& machine, const Value& input, const Arguments& arguments) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  const bool by_filter = !arguments.list.empty();
  Given path;
  std::string name;
  if (by_filter) {
    LFM_ASSIGN(const Text text, string_of(arguments.list[0], "map"));
    name = text.bytes();
  } else {
    LFM_ASSIGN(path, arguments.bind("attribute default"));
  }
  const Arguments rest = by_filter ? rest_of(arguments, 1) : Arguments();
  std::vector<Value> out;
  for (const Value& item : items.items()) {
    Value made;
    if (by_filter) {
      LFM_ASSIGN(made, machine.filter(name, item, rest));
    } else {
      LFM_ASSIGN(made, member_of(machine, item, path[0]));
      if (made.is(Kind::kUndefined)) made = path[1];
    }
    out.push_back(std::move(made));
  }
  return machine.budget().list(std::move(out), List::Form::kGenerator);
}

template <bool by_attribute, bool wanted>
Result<Value> choose(Machine& machine, const Value& input, const Arguments& arguments) {
  LFM_ASSIGN(const Value items, elements(input, machine.budget()));
  const std::size_t at = by_attribute ? 1 : 0;  // the test's name
  if (by_attribute && arguments.list.empty()) return failure("expected an attribute");
  std::string name;
  if (arguments.list.size() > at) {
    LFM_ASSIGN(const Text text, string_of(arguments.list[at], "a test"));
    name = text.bytes();
  }
  const Arguments rest = rest_of(arguments, at + 1);
  std::vector<Value> out;
  for (const Value& item : items.items()) {
    LFM_TRY(machine.budget().check());
    machine.budget().spend(1);
    Value value = item;
    if (by_attribute) {
      LFM_ASSIGN(value, member_of(machine, item, arguments.list[0]));
    }
    bool is = truth(value);
    if (!name.empty()) {
      LFM_ASSIGN(is, machine.test(name, value, rest));
    }
    if (is == wanted) out.push_back(item);
  }
  return machine.budget().list(std::move(out), List::Form::kGenerator);
}

Result<Value> format_by(Machine& machine, const Value& input, const Arguments& arguments) {
  LFM_ASSIGN(const Text text, string_of(input, "format"));
  if (!arguments.named.empty()) return failure("a format with names");
  LFM_ASSIGN(const Value values, machine.budget().list(arguments.list, List::Form::kTuple));
  return formatted(text, values, machine.budget());
}

constexpr OpenFilter kChoosingFilters[] = {
    {"map", map},
    {"select", choose<false, true>},
    {"reject", choose<false, false>},
    {"selectattr", choose<true, true>},
    {"rejectattr", choose<true, false>},
    {"format", format_by},
};

}  // namespace

std::span<const OpenFilter> choosing_filters() noexcept {
  return kChoosingFilters;
}

}  // namespace lfm::jinja
