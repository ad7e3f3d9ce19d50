#include "jinja/compare.h"

#include <algorithm>

#include "base/try.h"

namespace lfm::jinja {

bool truth(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBoolean:
    case Kind::kInteger:
      return value.integer() != 0;
    case Kind::kFloat:
      return value.number() != 0;
    case Kind::kString:
      return !value.text().empty();
    case Kind::kList:
      return value.list().form == List::Form::kGenerator || !value.items().empty();
    case Kind::kDict:
      return !value.dict().members.empty();
    default:
      return true;
  }
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  if (!budget.spend(1)) return false;
  if (a.is_number() && b.is_number()) {
    if (a.is(Kind::kBigInteger) || b.is(Kind::kBigInteger)) return a.kind() == b.kind() && a.bytes() == b.bytes();
    if (a.is_integral() && b.is_integral()) return a.integer() == b.integer();
    return a.number() == b.number();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      budget.spend(a.text().size() / 64);
      return a.bytes() == b.bytes();
    case Kind::kList: {
      const bool tuples = a.list().form == List::Form::kTuple;
      if (tuples != (b.list().form == List::Form::kTuple) || a.items().size() != b.items().size()) return false;
      for (std::size_t i = 0; i < a.items().size(); ++i) {
        if (!equal(a.items()[i], b.items()[i], budget)) return false;
      }
      return true;
    }
    case Kind::kDict:
      if (a.dict().members.size() != b.dict().members.size()) return false;
      for (const auto& [key, value] : a.dict().members) {
        budget.spend(b.dict().members.size() / 8);
        const Value* other = b.dict().find(key);
        if (other == nullptr || !equal(value, *other, budget)) return false;
      }
      return true;
    case Kind::kNamespace:
      return &a.names() == &b.names();
    default:
      return a.same_object(b);
  }
}

Result<int> order(const Value& a, const Value& b, Budget& budget) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  budget.spend(1);
  const bool big = a.is(Kind::kBigInteger) || b.is(Kind::kBigInteger);
  if (a.is_number() && b.is_number() && !big) {
    return a.is_integral() && b.is_integral() ? sign(a.integer(), b.integer()) : sign(a.number(), b.number());
  }
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    budget.spend(std::min(a.text().size(), b.text().size()) / 64);
    return sign(a.bytes().compare(b.bytes()), 0);  // UTF-8 keeps the order of code points
  }
  if (a.is(Kind::kList) && b.is(Kind::kList)) {
    const std::size_t both = std::min(a.items().size(), b.items().size());
    for (std::size_t i = 0; i < both; ++i) {
      LFM_TRY(budget.check());
      LFM_ASSIGN(const int here, order(a.items()[i], b.items()[i], budget));
      if (here != 0) return here;
    }
    return sign(a.items().size(), b.items().size());
  }
  return failure(std::string("'") + type_name(a) + "' and '" + type_name(b) + "' have no order");
}

Result<bool> contains(const Value& container, const Value& x, Budget& budget) {
  switch (container.kind()) {
    case Kind::kUndefined:
      return false;
    case Kind::kString:
      if (!x.is(Kind::kString)) return failure(std::string("a string can't contain a '") + type_name(x) + "'");
      budget.spend(1 + container.text().size() / 64);
      return container.bytes().find(x.bytes()) != std::string_view::npos;
    case Kind::kList:
      return std::any_of(container.items().begin(), container.items().end(),
                         [&](const Value& item) { return equal(item, x, budget); });
    case Kind::kDict:
      budget.spend(1 + container.dict().members.size() / 8);
      return container.dict().find(x) != nullptr;
    default:
      return failure(std::string("a '") + type_name(container) + "' contains nothing");
  }
}

const char* type_name(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kUndefined:
      return "undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBoolean:
      return "bool";
    case Kind::kInteger:
    case Kind::kBigInteger:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      return value.list().form == List::Form::kTuple ? "tuple" : "list";
    case Kind::kDict:
      return "dict";
    case Kind::kNamespace:
      return "namespace";
    case Kind::kLoop:
      return "loop";
    case Kind::kFunction:
      return "function";
  }
  return "unknown";
}

Error failure(std::string message) {
  return at_line(ErrorCode::kUnsupported, std::move(message), Error::kNone);
}

Error is_undefined(const Value& value) {
  return failure((value.name() != nullptr ? "'" + *value.name() + "'" : std::string("a value")) + " is undefined");
}

}  // namespace lfm::jinja
