// Filters, by name. Those that take any arguments get them as they are.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "jinja/machine.h"

namespace lfm::jinja {

using Given = std::vector<Value>;

struct Filter {
  std::string_view name;
  std::string_view parameters;
  Result<Value> (*apply)(Machine&, const Value& input, const Given&);
};

struct OpenFilter {
  std::string_view name;
  Result<Value> (*apply)(Machine&, const Value& input, const Arguments&);
};

std::span<const Filter> text_filters() noexcept;          // text_filters.cc
std::span<const Filter> number_filters() noexcept;        // number_filters.cc
std::span<const Filter> sequence_filters() noexcept;      // sequence_filters.cc
std::span<const Filter> order_filters() noexcept;         // order_filters.cc
std::span<const OpenFilter> choosing_filters() noexcept;  // choosing_filters.cc

bool is_filter(std::string_view name) noexcept;
bool is_test(std::string_view name) noexcept;

// "a.b.0" of a value.
Result<Value> member_of(Machine& machine, const Value& of, const Value& path);

}  // namespace lfm::jinja
