#include "jinja/methods.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/functions.h"
#include "jinja/spell.h"
#include "jinja/string_methods.h"

namespace lfm::jinja {
namespace {

constexpr std::array<std::string_view, 11> kDictMethods = {"get",    "items", "keys",     "values",  "copy",      "pop",
                                                           "update", "clear", "fromkeys", "popitem", "setdefault"};
constexpr std::array<std::string_view, 11> kListMethods = {"append", "extend", "insert", "remove",  "pop", "clear",
                                                           "index",  "count",  "sort",   "reverse", "copy"};
constexpr std::array<std::string_view, 2> kLoopMethods = {"cycle", "changed"};

template <std::size_t n>
bool is_among(const std::array<std::string_view, n>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error unchangeable(const Value& self, std::string_view name) {
  return failure(std::string(name) + "() would change a '" + type_name(self) + "', which templates may not");
}

Result<Value> call_dict(Budget& budget, const Value& self, std::string_view name, const Arguments& arguments) {
  const Dict::Members& members = self.dict().members;
  if (name == "get") {
    LFM_ASSIGN(const std::vector<Value> given, arguments.bind("key default"));
    budget.spend(1 + members.size() / 16);
    const Value* found = self.dict().find(given[0]);
    if (found != nullptr) return *found;
    return arguments.list.size() + arguments.named.size() > 1 ? given[1] : Value::none();
  }
  if (name == "copy") return self;
  if (name != "items" && name != "keys" && name != "values") return unchangeable(self, name);
  LFM_ASSIGN(const std::vector<Value> given, arguments.bind(""));
  std::vector<Value> out;
  out.reserve(members.size());
  for (const auto& [key, value] : members) {
    if (name == "items") {
      LFM_ASSIGN(Value pair, budget.list({key, value}, List::Form::kTuple));
      out.push_back(std::move(pair));
    } else {
      out.push_back(name == "keys" ? key : value);
    }
  }
  return budget.list(std::move(out));
}

Result<Value> call_list(Budget& budget, const Value& self, std::string_view name, const Arguments& arguments) {
  if (name == "copy") return self;
  if (name != "index" && name != "count") return unchangeable(self, name);
  LFM_ASSIGN(const std::vector<Value> given, arguments.bind("value"));
  const std::vector<Value>& items = self.items();
  const auto same = [&](const Value& item) { return equal(item, given[0], budget); };
  if (name == "count") return Value::integer(std::count_if(items.begin(), items.end(), same));
  const auto found = std::find_if(items.begin(), items.end(), same);
  if (found == items.end()) return failure("a value isn't in a list");
  return Value::integer(found - items.begin());
}

Result<Value> call_loop(Budget& budget, const Value& self, std::string_view name, const Arguments& arguments) {
  const Loop& loop = self.loop();
  if (name == "cycle") {
    if (arguments.list.empty()) return failure("cycle() expects values");
    return arguments.list[loop.index % arguments.list.size()];
  }
  Text now;
  for (const Value& value : arguments.list) LFM_TRY(append_repr(value, budget, now));
  const bool same = loop.told && loop.last == now.bytes();
  loop.last = now.bytes();
  loop.told = true;
  return Value::boolean(!same);
}

}  // namespace

bool is_method(const Value& self, std::string_view name) noexcept {
  switch (self.kind()) {
    case Kind::kString:
      return is_string_method(name);
    case Kind::kDict:
      return is_among(kDictMethods, name);
    case Kind::kList:
      return is_among(kListMethods, name);
    case Kind::kLoop:
      return is_among(kLoopMethods, name);
    default:
      return false;
  }
}

Result<Value> call_method(Machine& machine, const Value& self, std::string_view name, const Arguments& arguments) {
  switch (self.kind()) {
    case Kind::kString:
      return call_string_method(machine.budget(), self, name, arguments);
    case Kind::kDict:
      return call_dict(machine.budget(), self, name, arguments);
    case Kind::kList:
      return call_list(machine.budget(), self, name, arguments);
    default:
      return call_loop(machine.budget(), self, name, arguments);
  }
}

}  // namespace lfm::jinja
