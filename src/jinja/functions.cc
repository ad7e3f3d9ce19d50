#include "jinja/functions.h"

#include <algorithm>
#include <array>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/spell.h"
#include "jinja/unicode.h"

namespace lfm::jinja {
namespace {

constexpr std::int64_t kMaxRange = 100'000;  // as Jinja's sandbox has it
constexpr std::array<std::string_view, 5> kFunctions = {"namespace", "raise_exception", "range", "strftime_now",
                                                        "dict"};

Result<Value> make_range(Machine& machine, const Arguments& arguments) {
  if (!arguments.named.empty() || arguments.list.empty() || arguments.list.size() > 3) {
    return failure("range() expects one to three numbers");
  }
  std::int64_t bounds[3] = {0, 0, 1};
  const std::size_t first = arguments.list.size() == 1 ? 1 : 0;
  for (std::size_t i = 0; i < arguments.list.size(); ++i) {
    if (!arguments.list[i].is_integral()) return failure("range() expects numbers");
    bounds[first + i] = arguments.list[i].integer();
  }
  if (bounds[2] == 0) return failure("range() with step 0");
  std::vector<Value> out;
  for (std::int64_t at = bounds[0]; bounds[2] > 0 ? at < bounds[1] : at > bounds[1];) {
    if (static_cast<std::int64_t>(out.size()) == kMaxRange) return failure("a range that is too long");
    out.push_back(Value::integer(at));
    if (__builtin_add_overflow(at, bounds[2], &at)) break;
  }
  return machine.budget().list(std::move(out));
}

// What dict() and namespace() begin with: a mapping, or pairs, and names.
Status members_of(const Arguments& arguments, Dict::Members& out) {
  const auto put = [&](const Value& key, const Value& value) {
    const auto same = [&](const auto& member) { return member.first.bytes() == key.bytes(); };
    const auto found = std::find_if(out.begin(), out.end(), same);
    if (found != out.end()) {
      found->second = value;
    } else {
      out.emplace_back(key, value);
    }
  };
  for (const Value& given : arguments.list) {
    if (!given.is(Kind::kDict) || arguments.list.size() > 1) return failure("expected one mapping, and names");
    for (const auto& [key, value] : given.dict().members) {
      if (!key.is(Kind::kString)) return failure("expected names");
      put(key, value);
    }
  }
  for (const auto& [name, value] : arguments.named) put(Value::string(name, Origin::kTemplate), value);
  return {};
}

Result<Value> tell_time(Machine& machine, const Arguments& arguments) {
  LFM_ASSIGN(const std::vector<Value> given, arguments.bind("format"));
  LFM_ASSIGN(const Text format, string_of(given[0], "strftime_now()"));
  if (machine.clock() == nullptr) return failure("the system doesn't tell the date");
  LFM_ASSIGN(std::string text, format_time(*machine.clock(), format.bytes()));
  return machine.budget().string(std::move(text), format.has_data() ? Origin::kData : Origin::kTemplate);
}

}  // namespace

bool is_function(std::string_view name) noexcept {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

Result<Value> call_function(Machine& machine, std::string_view name, const Arguments& arguments) {
  if (name == "range") return make_range(machine, arguments);
  if (name == "strftime_now") return tell_time(machine, arguments);
  if (name == "raise_exception") {
    LFM_ASSIGN(const std::vector<Value> given, arguments.bind("message"));
    LFM_ASSIGN(const Text message, to_text(given[0], machine.budget()));
    return at_line(ErrorCode::kArgument, std::string(message.bytes()), Error::kNone);
  }
  Dict::Members members;
  LFM_TRY(members_of(arguments, members));
  if (name == "dict") return machine.budget().dict(std::move(members));
  Value out = machine.new_namespace();
  for (auto& [key, value] : members) out.names().set(key.bytes(), std::move(value));
  return out;
}

Result<Value> elements(const Value& of, Budget& budget) {
  std::vector<Value> out;
  switch (of.kind()) {
    case Kind::kList:
      return of;
    case Kind::kUndefined:
      break;
    case Kind::kDict:
      for (const auto& member : of.dict().members) out.push_back(member.first);
      break;
    case Kind::kString: {
      const Text& text = of.text();
      for (std::size_t at = 0, next = 0; at < text.size(); at = next) {
        next = at + length_at(text.bytes(), at);
        LFM_ASSIGN(Value one, budget.string(text.cut(at, next)));
        out.push_back(std::move(one));
      }
      break;
    }
    default:
      return failure(std::string("a '") + type_name(of) + "' has no elements");
  }
  return budget.list(std::move(out));
}

}  // namespace lfm::jinja
