// A template, parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jinja/value.h"

namespace lfm::jinja {

// Within each other, in a template; what runs may be kMaxRunDepth deep, by macros that call macros.
inline constexpr std::uint32_t kMaxNodeDepth = 150;
inline constexpr std::uint32_t kMaxRunDepth = 300;

enum class Op : std::uint8_t {
  // expressions                      parts
  kConstant,
  kName,
  kTuple,      //                     elements
  kList,       //                     elements
  kDict,       //                     key, value, key, value, ...
  kAttribute,  // name                of what
  kItem,       //                     of what, which
  kSlice,      //                     of what, begin, end, step; the last three may be null
  kCall,       // arguments           what
  kFilter,     // name, arguments     of what
  kTest,       // name, arguments     of what
  kPiped,      // what a filter of a block is applied to
  kNot,
  kNegate,
  kPlus,
  kConcat,      //                    two or more
  kArithmetic,  // operators          two or more, from left to right
  kCompare,     // operators          two or more, each with its neighbour
  kAnd,
  kOr,
  kCondition,  //                     then, whether, else or null

  // statements
  kOutput,       //                    what is written
  kIf,           //                    branches
  kBranch,       // body               whether; null: else
  kFor,          // target, body       over what, whether or null; `otherwise`
  kSet,          // target             to what
  kSetBlock,     // target, body       filters of kPiped
  kMacro,        // name, arguments are parameters, whose values are defaults or null
  kCallBlock,    // likewise           the call
  kFilterBlock,  // body               filters of kPiped
  kWith,         // arguments, body
  kScope,        // body
  kBreak,
  kContinue,
};

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

using Symbol = std::uint32_t;  // a variable's name

struct Node;
using NodePtr = std::unique_ptr<const Node>;
using Nodes = std::vector<NodePtr>;

enum class Star : std::uint8_t { kNone, kList, kDict };  // f(*list, **dict)

struct Argument {
  std::string name = {};  // empty: by position
  Symbol symbol = 0;
  Star star = Star::kNone;
  NodePtr value = nullptr;
};

struct Node {
  Op op = Op::kConstant;
  bool recursive = false;  // kFor
  std::uint32_t line = 0;
  std::uint32_t depth = 1;  // of nodes within each other
  Symbol symbol = 0;        // kName, kMacro
  std::string name = {};
  Value constant = {};
  Nodes parts = {};
  std::vector<Operator> operators = {};
  std::vector<Argument> arguments = {};
  NodePtr target = nullptr;  // kName, kTuple of such, or kAttribute of a kName
  Nodes body = {};
  Nodes otherwise = {};
};

}  // namespace lfm::jinja
