#include <utility>

#include "base/try.h"
#include "c/handles.h"
#include "c/sized.h"

namespace c = lfm::c;

namespace lfm::c {
namespace {

Status hand_out(Result<Constraint> made, lfm_constraint** out) {
  if (!made.ok()) return std::move(made).error();
  *out = new lfm_constraint{*std::move(made)};
  return {};
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_constraint_from_json_schema(const char* schema, lfm_constraint** constraint, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{schema, "schema"}, {constraint, "constraint"}}));
    return c::hand_out(lfm::Constraint::from_json_schema(schema), constraint);
  });
}

lfm_code lfm_constraint_from_json_schema_by_draft(const char* schema, lfm_constraint** constraint, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{schema, "schema"}, {constraint, "constraint"}}));
    return c::hand_out(lfm::Constraint::from_json_schema(schema, {.formats_by_draft = true}), constraint);
  });
}

lfm_code lfm_constraint_from_regex(const char* pattern, lfm_constraint** constraint, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pattern, "pattern"}, {constraint, "constraint"}}));
    return c::hand_out(lfm::Constraint::from_regex(pattern), constraint);
  });
}

lfm_code lfm_constraint_from_tools(const char* tools, const lfm_tool_constraint* options, lfm_constraint** constraint,
                                   lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{tools, "tools"}, {constraint, "constraint"}}));
    LFM_ASSIGN(const lfm_tool_constraint given, c::read_sized(options, "options"));
    lfm::ToolConstraint inner;
    if (given.optional) inner.choice = lfm::ToolChoice::kAuto;
    if (given.only != nullptr) inner.only = given.only;
    inner.single = given.single;
    inner.json_form = given.json_form;
    inner.text = given.text;
    if (given.none) inner.choice = lfm::ToolChoice::kNone;
    return c::hand_out(lfm::Constraint::from_tools(tools, inner), constraint);
  });
}

lfm_code lfm_constraint_either(const lfm_constraint* calls, const lfm_constraint* answer, lfm_constraint** constraint,
                               lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{calls, "calls"}, {answer, "answer"}, {constraint, "constraint"}}));
    return c::hand_out(lfm::Constraint::either(calls->constraint, answer->constraint), constraint);
  });
}

lfm_code lfm_constraint_prepare(const lfm_constraint* constraint, const lfm_engine* engine, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{constraint, "constraint"}, {engine, "engine"}}));
    return constraint->constraint.prepare(engine->engine);
  });
}

void lfm_constraint_free(lfm_constraint* constraint) {
  delete constraint;
}

lfm_code lfm_constraint_check(const lfm_constraint* constraint, const char* text, size_t bytes, bool* allowed,
                              size_t* offset, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{constraint, "constraint"}, {allowed, "allowed"}}));
    LFM_ASSIGN(const auto given, c::array(text, bytes, "text"));
    LFM_ASSIGN(const lfm::Constraint::Verdict verdict, constraint->constraint.check({given.data(), given.size()}));
    *allowed = verdict.allowed;
    if (offset != nullptr) *offset = verdict.offset;
    return {};
  });
}
