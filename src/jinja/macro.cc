// What templates define and call.
#include <algorithm>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/functions.h"
#include "jinja/machine.h"
#include "jinja/methods.h"
#include "jinja/scope.h"
#include "jinja/spell.h"

namespace lfm::jinja {

Value Machine::macro(const Node& node) {
  auto made = std::make_shared<Function>();
  made->which = Function::Which::kMacro;
  made->node = &node;
  made->name = node.name;
  made->frame = frame_;
  made->serial = frames_[frame_].serial;
  return Value::object(Kind::kFunction, std::move(made));
}

Result<Value> Machine::call_macro(const Function& macro, const Arguments& given, const Value* caller) {
  const Node& node = *macro.node;
  if (macro.frame >= frames_.size() || frames_[macro.frame].serial != macro.serial) {
    return failure("'" + macro.name + "' was defined in a block that is over");
  }
  const Scope scope(*this, macro.frame);
  set(symbol("caller"), caller != nullptr ? *caller : Value());
  std::size_t named = 0;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const Argument& parameter = node.arguments[i];
    const auto by_name = std::find_if(given.named.begin(), given.named.end(),
                                      [&](const auto& each) { return each.first == parameter.name; });
    Value value;
    if (i < given.list.size()) {
      value = given.list[i];
    } else if (by_name != given.named.end()) {
      value = by_name->second;
      ++named;
    } else if (parameter.value != nullptr) {
      LFM_ASSIGN(value, evaluate(*parameter.value));
    } else {
      value = Value::undefined(&parameter.name);
    }
    set(parameter.symbol, std::move(value));
  }
  const bool takes_more = parsed_.words.contains("varargs") || parsed_.words.contains("kwargs");
  if (given.list.size() > node.arguments.size() || named < given.named.size()) {
    if (!takes_more) return failure("'" + macro.name + "' is given an argument that it doesn't have");
  }
  if (takes_more) {
    std::vector<Value> rest;
    for (std::size_t i = node.arguments.size(); i < given.list.size(); ++i) rest.push_back(given.list[i]);
    Dict::Members others;
    for (const auto& given_one : given.named) {
      const bool known = std::any_of(node.arguments.begin(), node.arguments.end(),
                                     [&](const Argument& each) { return each.name == given_one.first; });
      if (!known) others.emplace_back(Value::string(given_one.first, Origin::kTemplate), given_one.second);
    }
    LFM_ASSIGN(Value varargs, budget_.list(std::move(rest), List::Form::kTuple));
    LFM_ASSIGN(Value kwargs, budget_.dict(std::move(others)));
    set(symbol("varargs"), std::move(varargs));
    set(symbol("kwargs"), std::move(kwargs));
  }
  return captured(node.body);
}

Status Machine::call_block(const Node& node) {
  const Node& call = *node.parts[0];
  LFM_ASSIGN(const Value what, evaluate(*call.parts[0]));
  if (!what.is(Kind::kFunction) || what.function().which != Function::Which::kMacro) {
    return failure("a call block calls what is no macro");
  }
  LFM_ASSIGN(const Arguments given, arguments(call));
  const Value caller = macro(node);
  LFM_ASSIGN(const Value made, call_macro(what.function(), given, &caller));
  LFM_TRY(append_str(made, budget_, out_));
  return check_output();
}

Result<Value> Machine::call(const Value& what, const Arguments& given) {
  if (what.is(Kind::kUndefined)) return is_undefined(what);
  if (what.is(Kind::kLoop) && what.loop().node != nullptr && given.list.size() == 1) {
    Text outer = std::exchange(out_, {});
    outer_output_ += outer.size();
    LFM_TRY(loop_over(*what.loop().node, given.list[0], what.loop().depth0 + 1));
    outer_output_ -= outer.size();
    return budget_.string(std::exchange(out_, std::move(outer)));
  }
  if (!what.is(Kind::kFunction)) return failure(std::string("a '") + type_name(what) + "' can't be called");
  const Function& function = what.function();
  switch (function.which) {
    case Function::Which::kMacro:
      return call_macro(function, given, nullptr);
    case Function::Which::kMethod:
      return call_method(*this, function.self, function.name, given);
    case Function::Which::kFunction:
      break;
  }
  return call_function(*this, function.name, given);
}

}  // namespace lfm::jinja
