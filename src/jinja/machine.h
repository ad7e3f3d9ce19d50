// A run of a template.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/arguments.h"
#include "jinja/budget.h"
#include "jinja/clock.h"
#include "jinja/function.h"
#include "jinja/node.h"
#include "jinja/parser.h"

namespace lfm::jinja {

class Machine {
 public:
  Machine(const Parsed& parsed, const Limits& limits, const Clock* clock)
      : parsed_(parsed), clock_(clock), budget_(limits), output_limit_(limits.output_bytes) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // Errors have the line as index. kArgument: the template refused (raise_exception).
  Result<Text> run(const std::vector<std::pair<std::string, Value>>& variables);

  // What filters, tests and functions need. Errors without a line get that of the node that is evaluated.
  Budget& budget() noexcept { return budget_; }
  const Clock* clock() const noexcept { return clock_; }
  Result<Value> attribute(const Value& of, const std::string& name);
  Result<Value> item(const Value& of, const Value& which);
  Result<Value> filter(std::string_view name, const Value& input, const Arguments& arguments);
  Result<bool> test(std::string_view name, const Value& input, const Arguments& arguments);
  Result<Value> call(const Value& what, const Arguments& arguments);
  Value new_namespace();

 private:
  // Variables of a template, a loop's turn, a macro or a block.
  struct Frame {
    std::uint64_t serial = 0;
    std::size_t parent = 0;  // where to look on; of the first itself
    std::vector<std::pair<Symbol, Value>> variables = {};
  };
  enum class Flow : std::uint8_t { kOn, kBreak, kContinue };
  class Scope;  // a frame for as long as it lives

  // expressions: evaluate.cc
  Result<Value> evaluate(const Node& node);
  Result<Value> evaluate_any(const Node& node);
  Result<std::vector<Value>> evaluate_all(const Nodes& nodes);
  Result<Value> dict(const Node& node);
  Result<Value> sliced(const Node& node);
  Result<Value> concat(const Node& node);
  Result<Value> arithmetic(const Node& node);
  Result<Value> compare(const Node& node);
  Result<Value> connect(const Node& node);
  Result<Value> condition(const Node& node);
  Result<Value> called(const Node& node);
  Result<Arguments> arguments(const Node& node);
  Result<bool> holds(const Node& node);

  // statements: run.cc
  Result<Flow> run(const Nodes& nodes);
  Result<Flow> run(const Node& node);
  Result<Flow> branch(const Node& node);
  Result<Flow> loop(const Node& node);
  Result<Flow> loop_over(const Node& node, const Value& over, std::size_t depth);
  Status output(const Node& node);
  Status assign(const Node& target, Value value);
  Status set_block(const Node& node);
  Status filter_block(const Node& node);
  Status call_block(const Node& node);
  Result<Value> captured(const Nodes& nodes);  // what they write
  Status check_output() const;

  // macros: macro.cc
  Value macro(const Node& node);
  Result<Value> call_macro(const Function& macro, const Arguments& arguments, const Value* caller);

  const Value* find(Symbol symbol) const noexcept;
  void set(Symbol symbol, Value value);
  Symbol symbol(std::string_view name) const noexcept;  // the number of symbols where there is none

  const Parsed& parsed_;
  const Clock* clock_;
  Budget budget_;
  std::size_t output_limit_;
  std::deque<Namespace> namespaces_;
  std::vector<Frame> frames_;
  std::size_t frame_ = 0;  // the one that is looked in first
  std::uint64_t serials_ = 0;
  std::uint32_t depth_ = 0;
  Text out_;
  std::size_t outer_output_ = 0;  // bytes of what is captured around this
  Value piped_;
};

}  // namespace lfm::jinja
