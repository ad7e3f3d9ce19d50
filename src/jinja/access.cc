// Members of values: a.b, a[b], a[b:c].
#include <algorithm>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/machine.h"
#include "jinja/methods.h"
#include "jinja/unicode.h"

namespace lfm::jinja {
namespace {

Value loop_attribute(const Loop& loop, std::string_view name) {
  const auto& items = loop.items.items();
  const auto count = [](std::size_t n) { return Value::integer(static_cast<std::int64_t>(n)); };
  if (name == "index") return count(loop.index + 1);
  if (name == "index0") return count(loop.index);
  if (name == "revindex") return count(items.size() - loop.index);
  if (name == "revindex0") return count(items.size() - loop.index - 1);
  if (name == "first") return Value::boolean(loop.index == 0);
  if (name == "last") return Value::boolean(loop.index + 1 == items.size());
  if (name == "length") return count(items.size());
  if (name == "depth") return count(loop.depth0 + 1);
  if (name == "depth0") return count(loop.depth0);
  if (name == "previtem" && loop.index > 0) return items[loop.index - 1];
  if (name == "nextitem" && loop.index + 1 < items.size()) return items[loop.index + 1];
  return {};
}

// Python's range of indices: from `begin` on, `count` of them, `step` apart.
struct Range {
  std::int64_t begin = 0, step = 1, count = 0;
};

Result<Range> range_of(const Value& begin, const Value& end, const Value& step, std::int64_t size) {
  Range out;
  LFM_ASSIGN(out.step, integer_of(step, 1));
  if (out.step == 0) return failure("a slice with step 0");
  const bool down = out.step < 0;
  const auto clamp = [&](std::int64_t at) {
    if (at < 0) at = at < -size ? -1 : at + size;
    if (at < 0) return down ? std::int64_t{-1} : std::int64_t{0};
    return std::min(at, down ? size - 1 : size);
  };
  LFM_ASSIGN(const std::int64_t first, integer_of(begin, 0));
  LFM_ASSIGN(const std::int64_t last, integer_of(end, 0));
  out.begin = begin.is(Kind::kUndefined) || begin.is(Kind::kNone) ? (down ? size - 1 : 0) : clamp(first);
  const std::int64_t stop = end.is(Kind::kUndefined) || end.is(Kind::kNone) ? (down ? -1 : size) : clamp(last);
  // Steps beyond the size are all the same, and none overflows.
  out.step = std::clamp(out.step, -size - 1, size + 1);
  const std::int64_t span = down ? out.begin - stop : stop - out.begin;
  const std::int64_t stride = down ? -out.step : out.step;
  out.count = span <= 0 ? 0 : (span + stride - 1) / stride;
  return out;
}

}  // namespace

Result<Value> Machine::attribute(const Value& of, const std::string& name) {
  if (of.is(Kind::kUndefined)) return is_undefined(of);
  if (of.is(Kind::kNamespace)) {
    const Value* found = of.names().find(name);
    return found != nullptr ? *found : Value();
  }
  if (of.is(Kind::kLoop)) {
    Value found = loop_attribute(of.loop(), name);
    if (!found.is(Kind::kUndefined)) return found;
  }
  if (is_method(of, name)) {
    auto method = std::make_shared<Function>();
    method->which = Function::Which::kMethod;
    method->self = of;
    method->name = name;
    method->depth = of.depth() + 1;
    return budget_.made(Kind::kFunction, std::move(method));
  }
  if (of.is(Kind::kDict)) {
    budget_.spend(1 + of.dict().members.size() / 16);
    const Value* found = of.dict().find(std::string_view(name));
    if (found != nullptr) return *found;
  }
  return Value();
}

Result<Value> Machine::item(const Value& of, const Value& which) {
  if (of.is(Kind::kUndefined)) return is_undefined(of);
  if (of.is(Kind::kDict)) {
    budget_.spend(1 + of.dict().members.size() / 16);
    const Value* found = of.dict().find(which);
    if (found != nullptr) return *found;
  }
  if (which.is_integral() && (of.is(Kind::kList) || of.is(Kind::kString))) {
    const bool list = of.is(Kind::kList);
    const std::size_t size = list ? of.items().size() : code_points(of.bytes());
    const auto count = static_cast<std::int64_t>(size);
    const std::int64_t at = which.integer() < 0 ? which.integer() + count : which.integer();
    if (at < 0 || at >= count) return Value();
    if (list) return of.items()[static_cast<std::size_t>(at)];
    budget_.spend(of.text().size() / 64);
    const std::size_t begin = offset_of(of.bytes(), static_cast<std::size_t>(at));
    return budget_.string(of.text().cut(begin, begin + length_at(of.bytes(), begin)));
  }
  return which.is(Kind::kString) ? attribute(of, std::string(which.bytes())) : Result<Value>(Value());
}

Result<Value> Machine::sliced(const Node& node) {
  Value parts[4];
  for (std::size_t i = 0; i < 4; ++i) {
    if (node.parts[i] == nullptr) continue;
    LFM_ASSIGN(parts[i], evaluate(*node.parts[i]));
  }
  const Value& of = parts[0];
  if (of.is(Kind::kUndefined)) return is_undefined(of);
  if (of.is(Kind::kList)) {
    LFM_ASSIGN(const Range range, range_of(parts[1], parts[2], parts[3], static_cast<std::int64_t>(of.items().size())));
    std::vector<Value> out;
    out.reserve(static_cast<std::size_t>(range.count));
    for (std::int64_t i = 0; i < range.count; ++i) {
      out.push_back(of.items()[static_cast<std::size_t>(range.begin + i * range.step)]);
    }
    return budget_.list(std::move(out), of.list().form);
  }
  if (!of.is(Kind::kString)) return Value();
  const std::size_t size = code_points(of.bytes());
  budget_.spend(of.text().size() / 32);
  LFM_ASSIGN(const Range range, range_of(parts[1], parts[2], parts[3], static_cast<std::int64_t>(size)));
  if (range.count == 0) return budget_.string(Text());
  const auto first = static_cast<std::size_t>(range.begin);
  if (range.step == 1) {
    const std::size_t begin = offset_of(of.bytes(), first);
    const std::size_t length = offset_of(of.bytes().substr(begin), static_cast<std::size_t>(range.count));
    return budget_.string(of.text().cut(begin, begin + length));
  }
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at < of.bytes().size(); at += length_at(of.bytes(), at)) begins.push_back(at);
  Text out;
  for (std::int64_t i = 0; i < range.count; ++i) {
    const std::size_t begin = begins[static_cast<std::size_t>(range.begin + i * range.step)];
    out.append(of.text(), begin, begin + length_at(of.bytes(), begin));
  }
  return budget_.string(std::move(out));
}

}  // namespace lfm::jinja
