// What a run may use, and the making of values, which uses it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "jinja/lexer.h"
#include "jinja/value.h"

namespace lfm::jinja {

struct Limits {
  std::size_t steps = 20'000'000;                     // nodes that are evaluated, and every 64 bytes that are made
  std::size_t memory_bytes = std::size_t{256} << 20;  // of values at a time
  std::size_t output_bytes = std::size_t{64} << 20;
};

inline constexpr std::uint32_t kMaxValueDepth = 100;  // of lists and mappings within each other

class Budget {
 public:
  explicit Budget(const Limits& limits) noexcept : steps_(limits.steps), memory_(limits.memory_bytes) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False once nothing is left, and so ever after: what loops may end early then, and check() tells why.
  bool spend(std::size_t steps) noexcept {
    steps_ -= std::min(steps, steps_);
    return steps_ > 0;
  }

  // kLimit; `more`: bytes that are held beside the values.
  Status check(std::size_t more = 0) const {
    if (steps_ == 0) return limit("it takes too long");
    if (used_ > memory_ || more > memory_ - used_) return limit("it takes too much memory");
    return {};
  }

  // Each as check(); also values that are nested too deeply.
  Result<Value> string(Text text) {
    spend(1 + text.size() / 64);
    return made(Kind::kString, std::make_shared<String>(std::move(text), used_));
  }
  Result<Value> string(std::string bytes, Origin origin) { return string(Text(std::move(bytes), origin)); }
  Result<Value> list(std::vector<Value> items, List::Form form = List::Form::kList) {
    spend(1 + items.size());
    return made(Kind::kList, std::make_shared<List>(std::move(items), form, used_));
  }
  Result<Value> dict(Dict::Members members) {
    spend(1 + members.size());
    return made(Kind::kDict, std::make_shared<Dict>(std::move(members), used_));
  }
  template <typename Made>
  Result<Value> made(Kind kind, std::shared_ptr<Made> object) {
    if (object->depth > kMaxValueDepth) return limit("a value is nested too deeply");
    if (steps_ == 0 || used_ > memory_) return check().error();
    return Value::object(kind, std::move(object));
  }

 private:
  static Error limit(const char* why) { return at_line(ErrorCode::kLimit, why, Error::kNone); }

  std::size_t steps_;
  std::size_t memory_;
  std::size_t used_ = 0;
};

}  // namespace lfm::jinja
