// Constraint, on top of its inside.
#include "lfm/constraint.h"

#include <utility>

#include "api/guarded.h"
#include "base/try.h"
#include "constrain/compile.h"
#include "constrain/compile_tools.h"
#include "constrain/compiled.h"
#include "constrain/match/matcher.h"
#include "constrain/respell.h"
#include "engine/model.h"
#include "lfm/engine.h"

namespace lfm {

using constrain::Compiled;
using constrain::Scope;
using engine::guarded;

Result<Constraint> Constraint::from_json_schema(std::string_view schema, const SchemaOptions& options) {
  return guarded([&]() -> Result<Constraint> {
    LFM_ASSIGN(auto grammar, constrain::compile_json_schema(schema, options.formats_by_draft));
    return Constraint(std::make_shared<const Compiled>(std::move(grammar), Scope::kAnswer));
  });
}

Result<Constraint> Constraint::from_regex(std::string_view pattern) {
  return guarded([&]() -> Result<Constraint> {
    LFM_ASSIGN(auto grammar, constrain::compile_regex(pattern));
    return Constraint(std::make_shared<const Compiled>(std::move(grammar), Scope::kAnswer));
  });
}

Result<Constraint> Constraint::from_tools(std::string_view tools, const ToolConstraint& options) {
  return guarded([&]() -> Result<Constraint> {
    if (options.choice == ToolChoice::kNone) {
      return Constraint(std::make_shared<const Compiled>(std::make_shared<constrain::Grammar>(), Scope::kNoCalls));
    }
    const constrain::CallRules rules = {options.json_form ? constrain::CallForm::kJson : constrain::CallForm::kPython,
                                        options.only, options.single};
    LFM_ASSIGN(auto grammar, constrain::compile_tools(tools, rules));
    const Scope scope = options.choice == ToolChoice::kAuto ? Scope::kCalls
                        : options.text                      ? Scope::kRequiredCalls
                                                            : Scope::kOnlyCalls;
    return Constraint(std::make_shared<const Compiled>(std::move(grammar), scope, options.single));
  });
}

Result<Constraint> Constraint::either(const Constraint& calls, const Constraint& answer) {
  return guarded([&]() -> Result<Constraint> {
    if (calls.inner_->scope() != Scope::kCalls)
      return Error{ErrorCode::kArgument, "isn't made of tools whose calls may come", "calls"};
    if (answer.inner_->scope() != Scope::kAnswer)
      return Error{ErrorCode::kArgument, "isn't made of a schema or a pattern", "answer"};
    return Constraint(std::make_shared<const Compiled>(calls.inner_, answer.inner_));
  });
}

Status Constraint::prepare(const Engine& engine) const {
  return guarded([&]() -> Status {
    const auto trie = engine.model_->token_trie();
    for (const Compiled* const part : {&inner_->calls(), &inner_->answer()}) {
      for (const constrain::Spelling& spelling : part->grammar().notation.spellings) trie->text(spelling);
      part->masks(trie);
    }
    return {};
  });
}

namespace {

Result<Constraint::Verdict> verdict(constrain::Grammar& grammar, std::string_view text) {
  constrain::Respelt spelt;
  if (grammar.is_json) {
    spelt = constrain::respell(text, grammar.whole_fractions);
  } else {
    spelt.text = text;
  }
  const auto origin = [&](std::size_t at) { return grammar.is_json ? std::uint64_t{spelt.from[at]} : at; };
  constrain::Matcher matcher(grammar, nullptr, nullptr, constrain::Order::kAny);
  std::size_t matched = 0;
  LFM_ASSIGN(const bool accepted, matcher.accept(spelt.text, &matched));
  if (!accepted) return Constraint::Verdict{false, origin(matched)};
  if (!spelt.whole || !matcher.is_complete()) return Constraint::Verdict{false, origin(spelt.text.size())};
  return Constraint::Verdict{true, text.size()};
}

}  // namespace

Result<Constraint::Verdict> Constraint::check(std::string_view text) const {
  return guarded([&]() -> Result<Verdict> {
    if (inner_->scope() == Scope::kNoCalls) return Verdict{true, text.size()};
    LFM_ASSIGN(const Verdict answer, verdict(inner_->answer().grammar(), text));
    if (answer.allowed || inner_->scope() != Scope::kEither) return answer;
    LFM_ASSIGN(const Verdict calls, verdict(inner_->calls().grammar(), text));
    return calls.allowed || calls.offset > answer.offset ? calls : answer;
  });
}

}  // namespace lfm
