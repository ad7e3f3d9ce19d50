// Values that can be called, and what a loop knows of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "jinja/value.h"

namespace lfm::jinja {

struct Node;

// A macro, the body of a call block, a method of a value, or one of the functions that templates find.
struct Function : Object {
  enum class Which : std::uint8_t { kMacro, kMethod, kFunction };
  Which which = Which::kFunction;
  const Node* node = nullptr;  // kMacro
  std::size_t frame = 0;  // where a macro was defined, and which frame that was: it can't be called once that is gone
  std::uint64_t serial = 0;
  Value self;        // kMethod
  std::string name;  // of the method or function
};

struct Loop : Object {
  explicit Loop(Value list) : items(std::move(list)) { depth = items.depth() + 1; }
  Value items;  // a list
  std::size_t index = 0;
  std::size_t depth0 = 0;      // of recursive loops within each other
  const Node* node = nullptr;  // of a recursive one
  mutable std::string last;    // what changed() was told
  mutable bool told = false;
};

}  // namespace lfm::jinja
