#include "jinja/filters.h"

#include <algorithm>
#include <charconv>

#include "base/try.h"
#include "jinja/compare.h"

namespace lfm::jinja {
namespace {

template <typename Entry>
const Entry* entry_of(std::span<const Entry> table, std::string_view name) noexcept {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Entry& each) { return each.name == name; });
  return found == table.end() ? nullptr : &*found;
}

const Filter* find_filter(std::string_view name) noexcept {
  for (const auto table : {text_filters(), number_filters(), sequence_filters(), order_filters()}) {
    if (const Filter* found = entry_of(table, name)) return found;
  }
  return nullptr;
}

}  // namespace

bool is_filter(std::string_view name) noexcept {
  return find_filter(name) != nullptr || entry_of(choosing_filters(), name) != nullptr;
}

Result<Value> Machine::filter(std::string_view name, const Value& input, const Arguments& arguments) {
  budget_.spend(1);
  LFM_TRY(budget_.check());
  if (const Filter* found = find_filter(name)) {
    LFM_ASSIGN(const Given given, arguments.bind(found->parameters));
    return found->apply(*this, input, given);
  }
  if (const OpenFilter* found = entry_of(choosing_filters(), name)) return found->apply(*this, input, arguments);
  return failure("there is no filter '" + std::string(name) + "' here");
}

Result<Value> member_of(Machine& machine, const Value& of, const Value& path) {
  if (path.is_integral()) return machine.item(of, path);
  LFM_ASSIGN(const Text text, string_of(path, "an attribute"));
  std::string_view rest = text.bytes();
  Value out = of;
  while (true) {
    const std::string_view name = rest.substr(0, rest.find('.'));
    std::int64_t index = 0;
    const auto number = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_number = !name.empty() && number.ec == std::errc() && number.ptr == name.data() + name.size();
    LFM_ASSIGN(out,
               machine.item(out, is_number ? Value::integer(index) : Value::string(std::string(name), Origin::kData)));
    if (name.size() == rest.size()) return out;
    rest.remove_prefix(name.size() + 1);
  }
}

}  // namespace lfm::jinja
