// Statements.
#include <utility>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/functions.h"
#include "jinja/machine.h"
#include "jinja/scope.h"
#include "jinja/spell.h"

namespace lfm::jinja {

Machine::~Machine() {
  for (Namespace& names : namespaces_) names.members.clear();
}

Result<Text> Machine::run(const std::vector<std::pair<std::string, Value>>& variables) {
  const Scope scope(*this, 0);
  for (const auto& [name, value] : variables) {
    const Symbol found = symbol(name);
    if (found < parsed_.symbols.size()) set(found, value);
  }
  LFM_TRY(run(parsed_.body));
  return std::move(out_);
}

Result<Machine::Flow> Machine::run(const Nodes& nodes) {
  for (const NodePtr& node : nodes) {
    budget_.spend(1);
    if (++depth_ > kMaxRunDepth) return at_line(ErrorCode::kLimit, "nested too deeply", node->line);
    auto flow = run(*node);
    --depth_;
    Status within = budget_.check();
    if (flow.ok() && !within.ok()) flow = std::move(within).error();
    if (!flow.ok()) {
      if (flow.error().index == Error::kNone) flow.error().index = node->line;
      return flow;
    }
    if (*flow != Flow::kOn) return flow;
  }
  return Flow::kOn;
}

Result<Machine::Flow> Machine::run(const Node& node) {
  switch (node.op) {
    case Op::kOutput:
      LFM_TRY(output(node));
      return Flow::kOn;
    case Op::kIf:
      return branch(node);
    case Op::kFor:
      return loop(node);
    case Op::kSet: {
      LFM_ASSIGN(Value value, evaluate(*node.parts[0]));
      LFM_TRY(assign(*node.target, std::move(value)));
      return Flow::kOn;
    }
    case Op::kSetBlock:
      LFM_TRY(set_block(node));
      return Flow::kOn;
    case Op::kMacro:
      set(node.symbol, macro(node));
      return Flow::kOn;
    case Op::kCallBlock:
      LFM_TRY(call_block(node));
      return Flow::kOn;
    case Op::kFilterBlock:
      LFM_TRY(filter_block(node));
      return Flow::kOn;
    case Op::kWith: {
      std::vector<Value> values;
      for (const Argument& argument : node.arguments) {
        LFM_ASSIGN(Value value, evaluate(*argument.value));
        values.push_back(std::move(value));
      }
      const Scope scope(*this);
      for (std::size_t i = 0; i < values.size(); ++i) set(node.arguments[i].symbol, std::move(values[i]));
      return run(node.body);
    }
    case Op::kScope: {
      const Scope scope(*this);
      return run(node.body);
    }
    case Op::kBreak:
      return Flow::kBreak;
    case Op::kContinue:
      return Flow::kContinue;
    default:
      return failure("this isn't a statement");
  }
}

Status Machine::check_output() const {
  if (outer_output_ + out_.size() > output_limit_) {
    return at_line(ErrorCode::kLimit, "it writes too much", Error::kNone);
  }
  return budget_.check(outer_output_ + out_.size());
}

Status Machine::output(const Node& node) {
  for (const NodePtr& part : node.parts) {
    if (part->op == Op::kConstant && part->constant.is(Kind::kString)) {
      out_.append(part->constant.text());
    } else {
      LFM_ASSIGN(const Value value, evaluate(*part));
      LFM_TRY(append_str(value, budget_, out_));
    }
  }
  return check_output();
}

Result<Machine::Flow> Machine::branch(const Node& node) {
  for (const NodePtr& each : node.parts) {
    bool chosen = true;
    if (each->parts[0] != nullptr) {
      LFM_ASSIGN(chosen, holds(*each->parts[0]));
    }
    if (chosen) return run(each->body);
  }
  return Flow::kOn;
}

Result<Machine::Flow> Machine::loop(const Node& node) {
  LFM_ASSIGN(const Value over, evaluate(*node.parts[0]));
  return loop_over(node, over, 0);
}

Result<Machine::Flow> Machine::loop_over(const Node& node, const Value& over, std::size_t depth) {
  LFM_ASSIGN(Value items, elements(over, budget_));
  Scope scope(*this);
  if (node.parts[1] != nullptr) {
    std::vector<Value> chosen;
    for (const Value& item : items.items()) {
      scope.renew();
      LFM_TRY(assign(*node.target, item));
      LFM_ASSIGN(const bool is_chosen, holds(*node.parts[1]));
      if (is_chosen) chosen.push_back(item);
    }
    LFM_ASSIGN(items, budget_.list(std::move(chosen)));
  }
  if (items.items().empty()) {
    scope.renew();
    return run(node.otherwise);
  }
  const auto state = std::make_shared<Loop>(items);
  state->depth0 = depth;
  if (node.recursive) state->node = &node;
  LFM_ASSIGN(const Value itself, budget_.made(Kind::kLoop, state));
  const Symbol name = symbol("loop");
  for (; state->index < items.items().size(); ++state->index) {
    scope.renew();
    set(name, itself);
    LFM_TRY(assign(*node.target, items.items()[state->index]));
    LFM_ASSIGN(const Flow flow, run(node.body));
    if (flow == Flow::kBreak) break;
  }
  return Flow::kOn;
}

Status Machine::assign(const Node& target, Value value) {
  if (target.op == Op::kName) {
    set(target.symbol, std::move(value));
    return {};
  }
  if (target.op == Op::kAttribute) {
    const Value* names = find(target.parts[0]->symbol);
    if (names == nullptr || !names->is(Kind::kNamespace)) {
      return failure("'" + target.parts[0]->name + "' is no namespace, whose members alone can be set");
    }
    names->names().set(target.name, std::move(value));
    return {};
  }
  LFM_ASSIGN(const Value items, elements(value, budget_));
  if (items.items().size() != target.parts.size()) {
    return failure("expected " + std::to_string(target.parts.size()) + " values, and there are " +
                   std::to_string(items.items().size()));
  }
  for (std::size_t i = 0; i < target.parts.size(); ++i) LFM_TRY(assign(*target.parts[i], items.items()[i]));
  return {};
}

Result<Value> Machine::captured(const Nodes& nodes) {
  Text outer = std::exchange(out_, {});
  outer_output_ += outer.size();
  LFM_ASSIGN(const Flow flow, run(nodes));
  outer_output_ -= outer.size();
  Text made = std::exchange(out_, std::move(outer));
  if (flow != Flow::kOn) return failure("a loop can't be left out of what is captured");
  return budget_.string(std::move(made));
}

Status Machine::set_block(const Node& node) {
  Value value;
  {
    const Scope scope(*this);
    LFM_ASSIGN(value, captured(node.body));
  }
  const Value outer = std::exchange(piped_, std::move(value));
  LFM_ASSIGN(Value made, evaluate(*node.parts[0]));
  piped_ = outer;
  return assign(*node.target, std::move(made));
}

Status Machine::filter_block(const Node& node) {
  Value value;
  {
    const Scope scope(*this);
    LFM_ASSIGN(value, captured(node.body));
  }
  const Value outer = std::exchange(piped_, std::move(value));
  LFM_ASSIGN(const Value made, evaluate(*node.parts[0]));
  piped_ = outer;
  LFM_TRY(append_str(made, budget_, out_));
  return check_output();
}

const Value* Machine::find(Symbol symbol) const noexcept {
  for (std::size_t at = frame_;; at = frames_[at].parent) {
    for (const auto& [name, value] : frames_[at].variables) {
      if (name == symbol) return &value;
    }
    if (at == 0) return nullptr;
  }
}

void Machine::set(Symbol symbol, Value value) {
  for (auto& [name, old] : frames_[frame_].variables) {
    if (name == symbol) {
      old = std::move(value);
      return;
    }
  }
  frames_[frame_].variables.emplace_back(symbol, std::move(value));
}

Symbol Machine::symbol(std::string_view name) const noexcept {
  const auto found = parsed_.symbols.find(name);
  return found != parsed_.symbols.end() ? found->second : static_cast<Symbol>(parsed_.symbols.size());
}

Value Machine::new_namespace() {
  budget_.spend(1);
  return Value::of(&namespaces_.emplace_back());
}

}  // namespace lfm::jinja
